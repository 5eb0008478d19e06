"""Which origins of results the page may show: of the caller's pools, also of those that are gone."""

from __future__ import annotations

from genpool_core.messages.base import PoolRef
from genpool_core.workerconfig import S3Config
from genpool_gateway.tasks.places import PoolPlace
from unit.gateway.api.world import ApiWorld
from unit.gateway.samples import NOW


def test_the_page_shows_results_of_a_pool_that_is_gone() -> None:
    world = ApiWorld()
    world.pools.pools = []
    assert "https://s3.example" not in world.call("GET", "/").headers["content-security-policy"]
    gone = PoolRef(namespace="team", name="gone", uid="uid-gone")
    world.places.known = [PoolPlace(gone, S3Config(bucket="results"), None, NOW, NOW)]
    assert (
        "img-src 'self' data: blob: https://s3.example;"
        in world.call("GET", "/").headers["content-security-policy"]
    )

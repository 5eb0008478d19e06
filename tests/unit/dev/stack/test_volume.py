from pathlib import Path

from genpool_dev.stack import layout
from genpool_dev.stack.volume import manifest


def test_the_volume_is_for_the_claim_that_the_chart_makes_and_no_other() -> None:
    made = manifest(Path("/state/data/gateway"))
    match made["spec"]:
        case {
            "claimRef": {"namespace": layout.SYSTEM_NAMESPACE, "name": layout.GATEWAY_CLAIM},
            "local": {"path": "/state/data/gateway"},
            "persistentVolumeReclaimPolicy": "Retain",
        }:
            pass
        case other:
            raise AssertionError(other)

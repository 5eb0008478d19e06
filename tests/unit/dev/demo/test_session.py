"""What is taken away with a demo, and what stays: the demo's state says on which cluster it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from genpool_dev.cluster import api
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.model import CONTEXTS, ClusterInfo, RabbitMQInfo, S3Info
from genpool_dev.cluster.settings import ClusterRef, ClusterSettings, ProviderName
from genpool_dev.demo import session, state
from genpool_dev.demo.run import demo_down
from genpool_dev.demo.session import Session
from genpool_dev.demo.state import DemoState
from genpool_dev.progress import Steps
from genpool_dev.stack.errors import StackError
from genpool_dev.stack.kubectl import Kubectl

CONTEXT: dict[ProviderName, str] = {"local": "genpool-local", "kind": "kind-genpool", "current": "yours"}


@dataclass
class FakeProvider:
    """A way to get a cluster whose state is its cluster.json."""

    name: ProviderName
    state: Path
    world: World

    @property
    def borrowed(self) -> bool:
        return self.name == "current"

    def context(self) -> str:
        return self.world.contexts[self.name]

    def check(self) -> None:
        """Everything is there."""

    def exists(self) -> bool:
        return (self.state / api.INFO).exists()

    def down(self, _steps: Steps) -> None:
        self.world.did.append(f"down {self.name}")
        (self.state / api.INFO).unlink(missing_ok=True)


@dataclass
class World:
    """A machine with its clusters."""

    folder: Path
    did: list[str] = field(default_factory=list)
    stay: list[bool] = field(default_factory=list)
    """At each uninstallation: RabbitMQ and S3 are cleaned, since they stay."""
    silent: set[str] = field(default_factory=set)
    """Contexts whose cluster does not answer."""
    contexts: dict[ProviderName, str] = field(default_factory=lambda: dict(CONTEXT))

    def ref(self, name: ProviderName) -> ClusterRef:
        place = self.folder / name
        return ClusterRef(provider=name, netns="unit", subnet=IPv4Network("10.213.0.0/16"), state=place)

    def up(self, name: ProviderName) -> None:
        """As ``ensure_up`` leaves it."""
        place = self.ref(name).state
        place.mkdir(exist_ok=True)
        rabbitmq = RabbitMQInfo(
            host="h", port=1, management_url="http://h", username="u", password="p", in_cluster_host="r"
        )
        s3 = S3Info(endpoint="http://h", in_cluster_endpoint="s", access_key="a", secret_key="s", folder=None)
        info = ClusterInfo(
            provider=name,
            context=self.contexts[name],
            kubeconfig=place / "kubeconfig",
            kubectl=Path("kubectl"),
            helm=Path("helm"),
            images={},
            rabbitmq=rabbitmq,
            s3=s3,
            host_address="10.0.0.1",
            state_dir=place,
        )
        (place / api.INFO).write_text(info.model_dump_json())

    def killed(self, name: ProviderName) -> DemoState:
        """What a demo has written that was killed, or left running."""
        old = state.load(self.ref(name))
        assert old is not None
        state.save(old.model_copy(update={"pid": 2**22 + 1}))
        return old


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path / "clusters")
    made.folder.mkdir()

    def make(name: ProviderName, settings: ClusterSettings) -> FakeProvider:
        assert settings.state is not None
        return FakeProvider(name, settings.state, made)

    def uninstall(info: ClusterInfo, *, servers_stay: bool) -> None:
        made.did.append(f"uninstall {info.context}")
        made.stay.append(servers_stay)

    for name in ("PROVIDER", "GENPOOL_DEV_STATE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(CONTEXTS, "yours,theirs")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(api, "make", make)
    monkeypatch.setattr(session, "uninstall", uninstall)
    monkeypatch.setattr(session, "delete_scenes", lambda _kubectl: None)
    monkeypatch.setattr(Kubectl, "answers", lambda self: self.context not in made.silent)
    return made


def test_a_cluster_of_another_provider_beside_the_demos_is_not_touched(world: World) -> None:
    world.up("local")
    Session(world.ref("kind"), Steps())
    world.up("kind")  # by the demo
    old = world.killed("kind")
    session.take_away(old, Steps())
    assert world.did == ["down kind"]
    assert api.exists(world.ref("local"))
    assert not api.exists(world.ref("kind"))


@pytest.mark.parametrize("name", ["local", "kind", "current"])
def test_a_cluster_that_was_there_before_stays(world: World, name: ProviderName) -> None:
    world.up(name)
    demo = Session(world.ref(name), Steps())
    demo.end()
    assert world.did == [f"uninstall {CONTEXT[name]}"]
    assert world.stay == [True]
    assert state.load(world.ref(name)) is None


@pytest.mark.parametrize("name", ["local", "kind"])
def test_a_dead_cluster_that_was_there_before_is_no_cluster_of_the_demo(
    world: World, name: ProviderName
) -> None:
    world.up(name)
    world.silent.add(CONTEXT[name])
    demo = Session(world.ref(name), Steps())
    world.silent.clear()  # the demo mended it
    demo.end()
    assert world.did == [f"uninstall {CONTEXT[name]}"]


def test_from_a_persons_cluster_genpool_goes_before_what_it_needs(world: World) -> None:
    demo = Session(world.ref("current"), Steps())
    world.up("current")
    demo.end()
    assert world.did == ["uninstall yours", "down current"]
    assert world.stay == [False]  # nor need they answer


@pytest.mark.parametrize("name", ["local", "kind", "current"])
def test_a_demo_that_ended_before_its_cluster_stood_takes_away_what_there_is(
    world: World, name: ProviderName
) -> None:
    Session(world.ref(name), Steps()).end()
    assert world.did == [f"down {name}"]


def test_a_demo_that_is_refused_leaves_no_word_and_takes_nothing_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONTEXTS, "")
    with pytest.raises(ClusterError, match=f"{CONTEXTS}=yours"):
        Session(world.ref("current"), Steps())
    assert state.load(world.ref("current")) is None
    assert world.did == []


def test_the_variable_is_not_needed_to_take_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Session(world.ref("current"), Steps())
    world.up("current")
    monkeypatch.setenv(CONTEXTS, "")
    session.take_away(world.killed("current"), Steps())
    assert world.did == ["uninstall yours", "down current"]


@pytest.mark.parametrize("was_up", [True, False])
def test_the_next_demo_takes_a_killed_one_over_with_what_it_knew(world: World, *, was_up: bool) -> None:
    if was_up:
        world.up("local")
    Session(world.ref("local"), Steps())
    world.up("local")
    world.killed("local")
    demo = Session(world.ref("local"), Steps())
    assert world.did == ["uninstall genpool-local"]
    world.did.clear()
    demo.end()
    assert world.did == (["uninstall genpool-local"] if was_up else ["down local"])


def test_a_demo_left_on_another_context_is_taken_away_first(world: World) -> None:
    Session(world.ref("current"), Steps())
    world.up("current")
    world.killed("current")
    world.contexts["current"] = "theirs"
    Session(world.ref("current"), Steps())
    assert world.did == ["uninstall yours", "down current"]
    mine = state.load(world.ref("current"))
    assert mine is not None
    assert (mine.context, mine.cluster_was_up) == ("theirs", False)


@pytest.mark.parametrize("was_up", [True, False])
def test_a_persons_cluster_that_is_gone_blocks_nothing(
    world: World, capsys: pytest.CaptureFixture[str], *, was_up: bool
) -> None:
    if was_up:
        world.up("current")
    Session(world.ref("current"), Steps())
    world.up("current")
    world.silent.add("yours")
    world.killed("current")
    assert demo_down(world.ref("current")) == 0
    assert world.did == ([] if was_up else ["down current"])
    said = capsys.readouterr().err
    assert "kubectl --context=yours delete crd generationpools.genpool.dev" in said
    # Nobody knows that.
    assert "stays up" not in said
    assert "is gone" not in said
    assert state.load(world.ref("current")) is None


def test_what_answers_is_said_to_be_gone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.up("current")
    Session(world.ref("current"), Steps())
    world.killed("current")
    assert demo_down(world.ref("current")) == 0
    said = capsys.readouterr().err
    assert "The cluster of yours was up before the demo and stays up" in said
    assert "The demo is gone." in said


def test_a_cluster_of_ours_that_is_dead_keeps_the_word_of_the_demo_on_it(world: World) -> None:
    world.up("local")
    Session(world.ref("local"), Steps())
    world.silent.add("genpool-local")
    with pytest.raises(StackError, match="cluster-up PROVIDER=local"):
        session.take_away(world.killed("local"), Steps())
    assert state.load(world.ref("local")) is not None


def test_a_cluster_taken_down_meanwhile_is_not_missed(world: World) -> None:
    world.up("local")
    demo = Session(world.ref("local"), Steps())
    api.down(world.ref("local"))
    world.did.clear()
    demo.end()
    assert world.did == []


def test_a_cluster_that_somebody_asked_for_outlives_the_demo_that_made_it(world: World) -> None:
    demo = Session(world.ref("local"), Steps())
    world.up("local")
    session.adopt(world.ref("local"))
    demo.end()
    assert world.did == ["uninstall genpool-local"]
    assert api.exists(world.ref("local"))


@pytest.mark.parametrize(
    ("name", "did"), [("local", ["down local"]), ("current", ["uninstall yours", "down current"])]
)
@pytest.mark.parametrize("was_up", [True, False])
def test_with_a_cluster_goes_the_demo_that_was_left_on_it(
    world: World, name: ProviderName, did: list[str], *, was_up: bool
) -> None:
    if was_up:
        world.up(name)
    Session(world.ref(name), Steps())
    world.up(name)
    world.killed(name)
    session.cluster_down(world.ref(name), Steps())
    assert world.did == did
    assert state.load(world.ref(name)) is None


def test_a_persons_cluster_is_left_without_genpool_of_a_killed_test(world: World) -> None:
    world.up("current")
    session.cluster_down(world.ref("current"), Steps())
    assert world.did == ["uninstall yours", "down current"]


def test_demos_on_two_providers_know_nothing_of_each_other(world: World) -> None:
    Session(world.ref("kind"), Steps())
    Session(world.ref("local"), Steps())
    refs = [world.ref(name) for name in CONTEXT]
    assert state.left(refs) == ["local", "kind"]
    session.take_away(world.killed("kind"), Steps())
    assert state.left(refs) == ["local"]

"""What is taken away after a killed run, and what is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_dev.cluster.artifacts.workspace import workspace
from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node.cleaning import Found, Observed, decide, mounts_below
from genpool_dev.cluster.node.mountpoints import is_mounted
from genpool_dev.cluster.node.process import Identity, load, parse_start, save

OURS = (Path("/root/.cache/genpool"), Path("/var/lib/genpool-dev"))
HOLDER = Identity(100, 5000, "boot")
KUBELET = Found(Identity(101, 5001, "boot"), "/root/.cache/genpool/built/kube-1 kubelet")
PERSON = Found(Identity(300, 9000, "boot"), "bash")
NOTHING = Observed(holder=None, processes=(), namespace=False, link=False, groups=False, mounts=())


def observed(**changes: object) -> Observed:
    return Observed(**{**NOTHING.__dict__, **changes})


def test_nothing_there_is_nothing_to_do() -> None:
    assert NOTHING.is_empty
    plan = decide(NOTHING, "genpool", OURS)
    assert (plan.kill, plan.unmount, plan.network, plan.groups) == ((), (), False, False)


@pytest.mark.parametrize("left", ["namespace", "link", "groups"])
def test_each_thing_that_a_killed_run_left_is_seen(left: str) -> None:
    assert not observed(**{left: True}).is_empty


@pytest.mark.parametrize(
    ("seen", "network", "groups"),
    [
        (observed(namespace=True), True, False),
        (observed(link=True), True, False),
        (observed(groups=True), False, True),
    ],
)
def test_what_is_left_is_taken_away(seen: Observed, *, network: bool, groups: bool) -> None:
    plan = decide(seen, "genpool", OURS)
    assert (plan.network, plan.groups) == (network, groups)


def test_with_the_holder_everything_in_its_namespaces_ends() -> None:
    plan = decide(observed(holder=HOLDER, processes=(KUBELET, PERSON)), "genpool", OURS)
    assert plan.kill == (HOLDER, KUBELET.identity, PERSON.identity)


def test_the_holder_is_killed_once_though_it_is_found_twice() -> None:
    holder = Found(HOLDER, "/root/.cache/genpool/built/pause-1")
    assert decide(observed(holder=HOLDER, processes=(holder,)), "genpool", OURS).kill == (HOLDER,)


def test_our_programs_are_known_without_a_holder() -> None:
    plan = decide(observed(processes=(KUBELET,), namespace=True), "genpool", OURS)
    assert plan.kill == (KUBELET.identity,)


def test_a_pod_of_ours_is_known_by_the_company_it_keeps() -> None:
    pod = Found(Identity(400, 1, "boot"), "python3 -m genpool_worker.app")
    plan = decide(observed(processes=(pod, KUBELET), groups=True), "genpool", OURS)
    assert plan.kill == (pod.identity, KUBELET.identity)


def test_a_program_of_somebody_else_is_never_killed() -> None:
    with pytest.raises(ClusterError, match=r"'bash' \(pid 300\).*GENPOOL_DEV_NETNS"):
        decide(observed(processes=(PERSON,), namespace=True), "genpool", OURS)


def test_inner_mounts_go_first() -> None:
    plan = decide(observed(mounts=("/s/a", "/s/a/b/c", "/s/a/b")), "genpool", OURS)
    assert plan.unmount == ("/s/a/b/c", "/s/a/b", "/s/a")


MOUNTINFO = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:30 / /var/lib/genpool-dev/kubelet/pods/a\\040b rw - tmpfs tmpfs rw
41 22 0:31 / /var/lib/genpool-development rw - tmpfs tmpfs rw
42 22 0:32 / /var/lib/kubelet rw - tmpfs tmpfs rw
"""


def test_mounts_below_the_state_folder_are_found_and_its_namesakes_are_not() -> None:
    found = mounts_below(MOUNTINFO, Path("/var/lib/genpool-dev"))
    assert found == ("/var/lib/genpool-dev/kubelet/pods/a b",)


@pytest.mark.parametrize(("point", "mounted"), [("/var/lib/kubelet", True), ("/var/log/containers", False)])
def test_a_folder_that_some_process_has_a_mount_on_is_known(point: str, *, mounted: bool) -> None:
    assert is_mounted(Path(point), ["", MOUNTINFO]) is mounted


def test_a_process_is_known_by_its_start_even_with_an_odd_name() -> None:
    stat = "77 (a) b (c) S 5 77 77 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 1 0 123456 1 1 1"
    assert parse_start(stat) == (5, 123456, "S")


def test_only_folders_that_nobody_holds_are_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    left = tmp_path / "genpool" / "tmp" / "of-a-killed-run"
    left.mkdir(parents=True)
    with workspace() as first, workspace() as second:
        assert not left.exists()
        assert first.is_dir()
        assert second.is_dir()
    assert list(left.parent.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", '{"pid": 1}', "[]", '{"pid":1,"started":2,"x":3}'])
def test_half_a_pid_file_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert load(tmp_path / "x.json") is None


def test_a_pid_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    save(tmp_path / "run" / "x.json", HOLDER)
    assert load(tmp_path / "run" / "x.json") == HOLDER

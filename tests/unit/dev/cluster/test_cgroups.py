"""Control groups of both versions, on trees of plain files."""

from __future__ import annotations

from pathlib import Path

import pytest

from genpool_dev.cluster.errors import ClusterError
from genpool_dev.cluster.node import cgroups


def version_1(root: Path) -> Path:
    for controller in ("cpuset", "memory", "pids"):
        (root / controller).mkdir()
        (root / controller / "cgroup.procs").write_text("1\n")
    (root / "cpuset" / "cpuset.cpus").write_text("0-3\n")
    (root / "cpuset" / "cpuset.mems").write_text("0\n")
    (root / "cpu").symlink_to("pids")
    return root


def version_2(root: Path) -> Path:
    (root / "cgroup.controllers").write_text("cpuset cpu io memory rdma\n")
    (root / "cgroup.procs").write_text("1\n")
    (root / "cgroup.subtree_control").write_text("")
    return root


def test_version_1_has_a_tree_for_each_controller_and_links_count_once(tmp_path: Path) -> None:
    trees = cgroups.hierarchies(version_1(tmp_path))
    assert [tree.name for tree in trees] == ["cpuset", "memory", "pids"]
    assert not cgroups.is_version_2(tmp_path)


def test_version_2_has_one_tree(tmp_path: Path) -> None:
    assert cgroups.hierarchies(version_2(tmp_path)) == (tmp_path,)


def test_a_machine_without_control_groups_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="PROVIDER=kind"):
        cgroups.hierarchies(tmp_path / "none")


def test_on_version_1_a_cpuset_starts_with_what_its_parent_has(tmp_path: Path) -> None:
    root = version_1(tmp_path)
    group = root / "cpuset" / "genpool"
    group.mkdir()
    (group / "cpuset.cpus").write_text("\n")
    (group / "cpuset.mems").write_text("1\n")
    cgroups.create("genpool", root)
    assert (group / "cpuset.cpus").read_text() == "0-3\n"
    assert (group / "cpuset.mems").read_text() == "1\n"
    assert (root / "memory" / "genpool").is_dir()


def test_on_version_2_the_group_gets_controllers_that_kubelet_needs(tmp_path: Path) -> None:
    root = version_2(tmp_path)
    (root / "genpool").mkdir()
    (root / "genpool" / "cgroup.controllers").write_text("cpu\n")
    (root / "genpool" / "cgroup.subtree_control").write_text("")
    cgroups.create("genpool", root)
    # A plain file keeps the last write only; the kernel's adds them up.
    assert (root / "cgroup.subtree_control").read_text() == "+memory"
    assert (root / "genpool" / "cgroup.subtree_control").read_text() == "+cpu"


def test_what_is_left_comes_innermost_first_with_its_processes(tmp_path: Path) -> None:
    root = version_1(tmp_path)
    inner = root / "pids" / "genpool" / "kubepods" / "pod1"
    inner.mkdir(parents=True)
    (inner / "cgroup.procs").write_text("41\n42\n")
    found = cgroups.remains("genpool", root)
    assert found == (inner, inner.parent, inner.parent.parent)
    assert cgroups.pids("genpool", root) == (41, 42)

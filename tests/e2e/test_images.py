"""The images on the cluster: what a program imports is compiled already, since each start would do it anew."""

from __future__ import annotations

import pytest

from e2e.lab import Lab
from e2e.scenes import pod_name
from genpool_dev.stack import layout
from support.waiting import wait_until

#: Prints the files of imported modules that have no bytecode, and how many have.
_LOOK = """
import os, sys
import {module}
found = [(m.__spec__.origin, m.__spec__.cached) for m in list(sys.modules.values()) if getattr(m, "__spec__", None)]
sources = [(origin, cached) for origin, cached in found if origin and origin.endswith(".py")]
bare = sorted(origin for origin, cached in sources if not (cached and os.path.exists(cached)))
print(len(sources) - len(bare), *bare)
"""


@pytest.mark.together(seconds=30)
def test_no_program_compiles_what_it_imports(lab: Lab) -> None:
    system = f"--namespace={layout.SYSTEM_NAMESPACE}"
    for component in ("operator", "gateway"):
        name = f"deployment/{layout.RELEASE}-{component}"
        assert _without_bytecode(lab, system, name, f"genpool_{component}.app") == []
    with lab.scene("bytecode", scaling={"mode": "Pinned", "replicas": 1}) as scene:
        scene.apply()
        (pod,) = scene.wait_ready_pods(1)
        here = f"--namespace={scene.place}"
        assert _without_bytecode(lab, here, pod_name(pod), "genpool_worker.app") == []


def _without_bytecode(lab: Lab, place: str, name: str, module: str) -> list[str]:
    words = ("exec", place, name, f"--container={module.split('.', maxsplit=1)[0].removeprefix('genpool_')}")
    code = _LOOK.format(module=module)
    said = wait_until(
        lambda: lab.kubectl.run(*words, "--", "python3", "-c", code), bool, f"{name}: its modules", seconds=60
    )
    compiled, *bare = said.split()
    assert int(compiled) > 200, "it imports hundreds of modules"
    return bare

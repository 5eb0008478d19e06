#!/usr/bin/env python3
"""A kubectl for tests: the clusters of its kubeconfig are files beside it, and it writes down what is asked of it.

``clusters.json`` beside it: {"current": name, "clusters": {name: {"server", "answers", "classes", "namespace"}}}.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORLD = HERE / "clusters.json"


def main(words: list[str]) -> int:
    world = json.loads(WORLD.read_text())
    options = {word.split("=")[0]: word.partition("=")[2] for word in words if word.startswith("--")}
    plain = [word for word in words if not word.startswith("-")]
    name = options.get("--context") or world["current"]
    if name not in world["clusters"]:
        sys.stderr.write(f"error: no context {name!r}")
        return 1
    cluster = world["clusters"][name]
    if plain[:2] == ["config", "view"]:
        clusters = [{"name": name, "cluster": {"server": cluster["server"]}}]
        sys.stdout.write(json.dumps({"current-context": name, "clusters": clusters}))
        return 0
    with (HERE / "asked").open("a") as asked:
        asked.write(f"{name}: {' '.join(plain)}\n")
    if not cluster["answers"]:
        sys.stderr.write("Unable to connect to the server")
        return 1
    match plain:
        case ["get", "storageclasses"]:
            sys.stdout.write(json.dumps({"items": cluster["classes"]}))
        case ["get", "namespace", _]:
            sys.stdout.write(json.dumps(cluster["namespace"]) if cluster["namespace"] else "")
        case ["delete", "namespace", _]:
            cluster["namespace"] = None
            WORLD.write_text(json.dumps(world))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

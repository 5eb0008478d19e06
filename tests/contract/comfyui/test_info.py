"""Routes, system and nodes."""

from __future__ import annotations

from datetime import datetime

import pytest

from contract.comfyui import graphs
from contract.comfyui.client import ComfyUI, Json


def test_every_route_exists_with_and_without_the_prefix(comfyui: ComfyUI, recorded: Json) -> None:
    for path in recorded["routes_with_and_without_api"]:
        for prefix in ("", "/api"):
            assert comfyui.get(prefix + path).status_code == 200, prefix + path


def test_routes_that_a_local_server_has_not(comfyui: ComfyUI, recorded: Json) -> None:
    for path in recorded["missing_routes"]:
        assert comfyui.get(path).status_code == 404, path


def test_system_stats(comfyui: ComfyUI, recorded: Json) -> None:
    stats = comfyui.get("/system_stats").json()
    assert set(stats["system"]) >= set(recorded["system_keys"])
    assert isinstance(stats["system"]["argv"], list)
    assert stats["devices"]
    for device in stats["devices"]:
        assert set(device) >= set(recorded["device_keys"])


def test_the_log_is_told_without_the_prefix(comfyui: ComfyUI) -> None:
    """Its own pages' interface, which the worker reads: entries with a local time, and what was written."""
    comfyui.run(graphs.trivial(graphs.fresh_prefix()))
    answer = comfyui.get("/internal/logs/raw").json()
    assert set(answer) == {"entries", "size"}
    entry = next(item for item in reversed(answer["entries"]) if item["m"].startswith("got prompt"))
    assert set(entry) == {"t", "m"}
    assert datetime.fromisoformat(entry["t"]).tzinfo is None
    assert "got prompt" in comfyui.get("/internal/logs").json()
    assert comfyui.get("/api/internal/logs/raw").status_code == 404


def test_object_info_of_one_class(comfyui: ComfyUI, recorded: Json) -> None:
    info = comfyui.get("/object_info/EmptyImage").json()["EmptyImage"]
    assert set(info) >= set(recorded["object_info_keys"])
    kind, options = info["input"]["required"]["width"]
    assert kind == "INT"
    assert (options["min"], options["max"]) == (1, 16384)
    assert info["output"] == ["IMAGE"]
    assert info["output_node"] is False


@pytest.mark.parametrize("name", ["NoSuchNode", "KSampler%20%2F%2FInspire", "a%252Fb"])
def test_object_info_of_an_unknown_class_is_empty(comfyui: ComfyUI, name: str) -> None:
    """Packs have classes with slashes in their names."""
    answer = comfyui.get(f"/object_info/{name}")
    assert (answer.status_code, answer.json()) == (200, {})


def test_object_info_has_every_class(comfyui: ComfyUI) -> None:
    known = comfyui.get("/object_info").json()
    assert set(known) >= {"EmptyImage", "ImageInvert", "ImageScale", "LoadImage", "SaveImage"}
    assert known["SaveImage"]["output_node"] is True


@pytest.mark.parametrize(("origin", "status"), [("http://elsewhere.example", 403), (None, 200), ("own", 200)])
def test_the_origin_must_match_the_host(comfyui: ComfyUI, origin: str | None, status: int) -> None:
    headers = {"Origin": comfyui.url if origin == "own" else origin} if origin else {}
    assert comfyui.get("/prompt", headers=headers).status_code == status

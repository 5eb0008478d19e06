"""What is uploaded for a task: images by their bytes, whatever their names say."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import requests

from genpool_cli import files
from genpool_cli.client import Gateway
from genpool_cli.errors import CliError

GIF = b"GIF89a and the rest of it"


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\0\0\0\x1cftypheic"])
def test_what_is_no_image_is_refused_before_anything_is_asked(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    gateway = Mock(spec=Gateway)
    with pytest.raises(CliError, match=r"photo\.png is no PNG, JPEG, WebP, GIF or BMP file") as caught:
        files.upload(gateway, "art/photos", path)
    assert caught.value.reason == "NoPicture"
    gateway.post.assert_not_called()


def test_an_image_is_sent_as_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scan"
    path.write_bytes(GIF)
    gateway = Mock(spec=Gateway)
    gateway.post.return_value = {
        "method": "PUT",
        "url": "https://s3.example/a",
        "headers": {},
        "id": "upload:a",
    }
    sent: list[bytes] = []

    def request(_method: str, _url: str, *, data: Any, **_: object) -> Mock:  # noqa: ANN401 - an open file
        sent.append(data.read())
        return Mock(status_code=200, ok=True)

    monkeypatch.setattr(requests, "request", request)
    assert files.upload(gateway, "art/photos", path) == "upload:a"
    wanted = {"pool": "art/photos", "name": "scan", "content_type": "image/gif", "size_bytes": len(GIF)}
    gateway.post.assert_called_once_with("/v1/uploads", wanted)
    assert sent == [GIF]

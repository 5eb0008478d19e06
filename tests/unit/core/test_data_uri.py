"""Data URIs: a file in base64 where a URL would stand."""

from __future__ import annotations

import base64

import pytest

from genpool_core.data_uri import is_data_uri, read_data_uri
from genpool_core.errors import RefusedInput

FILE = bytes(range(256)) * 4
TEXT = base64.b64encode(FILE).decode()


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        ("data:image/png;base64,", "image/png"),
        ("DATA:Image/PNG;BASE64,", "image/png"),
        ("data:image/svg+xml;charset=utf-8;base64,", "image/svg+xml"),
        ("data:;base64,", "application/octet-stream"),
    ],
)
def test_the_file_is_what_was_put_in(head: str, content_type: str) -> None:
    found = read_data_uri("image", head + TEXT, len(FILE))
    assert (found.data, found.content_type) == (FILE, content_type)
    assert "\\x00" not in repr(found)


@pytest.mark.parametrize(
    ("value", "most", "said"),
    [
        (f"data:image/png,{TEXT}", 1 << 20, "no data URI in base64"),
        (f"data:{'x' * 300}/png;base64,{TEXT}", 1 << 20, "no data URI in base64"),
        ("data:", 1 << 20, "no data URI in base64"),
        ("data:image/png;base64,", 1 << 20, "empty"),
        (f"data:image/png;base64,{TEXT[:-1]}", 1 << 20, "cannot be read"),
        (f"data:image/png;base64,{TEXT[:40]}\n{TEXT[40:]}", 1 << 20, "cannot be read"),
        (f"data:image/png;base64,{TEXT}é", 1 << 20, "cannot be read"),
        (f"data:image/png;base64,{TEXT}", len(FILE) - 1, "more than 1,023 bytes"),
        (f"data:image/png;base64,{'A' * 10_000}", 1000, "more than 1,000 bytes"),
    ],
)
def test_what_is_none_is_refused_by_the_parameters_name(value: str, most: int, said: str) -> None:
    assert is_data_uri(value)
    with pytest.raises(RefusedInput, match=said) as caught:
        read_data_uri("image", value, most)
    assert caught.value.parameter == "image"
    assert TEXT[:20] not in caught.value.message


@pytest.mark.parametrize(
    "value", ["https://example.com/data:image/png;base64,AAAA", "dat", "", 5, None, "upload:data:"]
)
def test_what_is_not_meant_as_one(value: object) -> None:
    assert not is_data_uri(value)

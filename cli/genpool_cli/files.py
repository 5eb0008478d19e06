"""Files: inputs up, results down. A download that broke off leaves nothing that looks whole."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import requests

from genpool_cli.client import Gateway
from genpool_cli.errors import Away, CliError
from genpool_cli.show.tasks import NO_LINK
from genpool_core import timing
from genpool_core.image_types import HEAD_BYTES, IMAGE_NAMES, image_type

_CHUNK = 1 << 20
_ERRORS = 400
_SERVER_ERRORS = 500
_TIMES = (timing.CLI_CONNECT_SECONDS, timing.CLI_READ_SECONDS)


def upload(gateway: Gateway, pool: str, path: Path) -> str:
    """Put a file into the pool's bucket; the value for a task's parameter.

    Raises
    ------
    CliError
        It cannot be read, is no picture, or was refused.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            content_type = image_type(file.read(HEAD_BYTES))
            if content_type is None:
                raise CliError(
                    f"{path} is no {IMAGE_NAMES} file: inputs are such images.", reason="NoPicture"
                )
            file.seek(0)
            place = gateway.post(
                "/v1/uploads",
                {
                    "pool": pool,
                    "name": _upload_name(path.name),
                    "content_type": content_type,
                    "size_bytes": size,
                },
            )
            answer = requests.request(
                place["method"], place["url"], data=file, headers=place["headers"], timeout=_TIMES
            )
    except OSError as error:
        if isinstance(error, requests.RequestException):
            raise _away("upload", path.name, error) from error
        raise CliError(f"{path} cannot be read: {error.strerror}.", reason="Unreadable") from error
    _check(answer, f"The upload of {path.name}")
    return str(place["id"])


def download(output: dict[str, Any], path: Path) -> None:
    """Fetch a result to ``path``, and check it by its checksum.

    Raises
    ------
    CliError
        There is no link, it was refused, it broke off, or the folder cannot be written.
    """
    if not output.get("url"):
        raise CliError(f"{output['name']} has no link: {NO_LINK}.", reason="NoLink")
    part = path.with_name(f".{path.name}.part")
    digest = hashlib.sha256()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with requests.get(output["url"], stream=True, timeout=_TIMES) as answer:
            _check(answer, f"The download of {output['name']}")
            with part.open("wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
        if digest.hexdigest() != output["sha256"]:
            raise Away(
                f"{output['name']} came incomplete or changed: fetch it again.", reason="WrongChecksum"
            )
        part.replace(path)
    except requests.RequestException as error:
        raise _away("download", output["name"], error) from error
    except OSError as error:
        raise CliError(f"{path} cannot be written: {error.strerror}.", reason="Unwritable") from error
    finally:
        part.unlink(missing_ok=True)


def names_for(task: dict[str, Any], stem: str | None = None) -> Iterator[tuple[dict[str, Any], str]]:
    """Each result of a task with a file name of its own: after ``stem``, else after the task's id."""
    stem = stem or str(task["id"])[:12]
    many = len(task["outputs"]) > 1
    for number, output in enumerate(task["outputs"], start=1):
        suffix = (
            PurePosixPath(output["name"]).suffix or mimetypes.guess_extension(output["content_type"]) or ""
        )
        yield output, _safe(f"{stem}-{number}{suffix}" if many else f"{stem}{suffix}")


def free_path(folder: Path, name: str, taken: Callable[[Path], bool] = os.path.lexists) -> Path:
    """A path in the folder at which nothing is."""
    path = folder / name
    number = 1
    while taken(path):
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path


def _safe(name: str) -> str:
    """A file name without what other systems, or the API, do not take; it never leaves its folder."""
    kept = "".join(char if char.isalnum() or char in "._- " else "_" for char in name).strip(" .")
    return kept[-120:] or "file"


def _upload_name(name: str) -> str:
    """A name as the API takes it: its suffix says what it is, the rest is for people."""
    suffix = PurePosixPath(name).suffix
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name.removesuffix(suffix)).strip("-._")
    return f"{stem[:80] or 'file'}{suffix.lower()}"


def _check(answer: requests.Response, what: str) -> None:
    if answer.status_code < _ERRORS:
        return
    text = f"{what} was refused by the object store ({answer.status_code})"
    if answer.status_code >= _SERVER_ERRORS:
        raise Away(f"{text}: try it again later.", reason="StoreAway")
    raise CliError(f"{text}: the link may be too old; try it again.", reason="StoreRefused")


def _away(what: str, name: str, error: Exception) -> Away:
    return Away(
        f"The {what} of {name} failed ({type(error).__name__}): this machine must reach the object store whose "
        "address is in the link (storage.s3.publicEndpoint).",
        reason="StoreAway",
    )

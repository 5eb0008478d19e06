"""The bucket: made for a test or demo, read back as the ledger that it is, and taken away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from genpool_core.ledger.keys import attempt_of
from genpool_core.ledger.records import Claim, EndRecord
from genpool_dev.stack.errors import StackError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_RUN_PARTS = 4  # tasks/<key>/runs/<run>


@dataclass(frozen=True)
class S3Access:
    """Where the store is, as seen from this machine, and its keys."""

    endpoint: str
    region: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    def client(self) -> S3Client:
        """A client with path-style addresses, as stores other than AWS want them."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 3, "mode": "standard"},
                proxies={},
            ),
        )


@dataclass(frozen=True)
class RunRecord:
    """One run of a task as the bucket tells it."""

    task_key: str
    run: int
    claims: tuple[Claim, ...]
    end: EndRecord | None
    files: tuple[str, ...]
    """Keys of all other objects of the run: outputs, and what losers left."""

    @property
    def strays(self) -> tuple[str, ...]:
        """Files that the end record does not name."""
        named = {output.key for output in self.end.outputs} if self.end else set()
        return tuple(key for key in self.files if key not in named)


class Bucket:
    """One bucket of a store."""

    def __init__(self, access: S3Access, name: str) -> None:
        self.name = name
        self.access = access
        self._client = access.client()
        self._records: dict[str, bytes] = {}

    def ensure(self) -> None:
        """Make the bucket where it is missing.

        Raises
        ------
        StackError
            The store does not answer, or refuses.
        """
        try:
            self._client.create_bucket(Bucket=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise self._refused("making the bucket", error) from error
        except BotoCoreError as error:
            raise self._refused("making the bucket", error) from error

    def keys(self, prefix: str = "") -> list[str]:
        """All object keys below ``prefix``."""
        try:
            return list(self._keys(prefix))
        except (ClientError, BotoCoreError) as error:
            raise self._refused("listing the bucket", error) from error

    def read(self, key: str) -> bytes:
        """The content of an object."""
        try:
            with self._client.get_object(Bucket=self.name, Key=key)["Body"] as body:
                return body.read()
        except (ClientError, BotoCoreError) as error:
            raise self._refused(f"reading {key}", error) from error

    def ends(self, prefix: str = "") -> dict[str, EndRecord]:
        """Every end record below ``prefix`` by its key. One that was read is not read again: they never change."""
        keys = [key for key in self.keys(f"{prefix}tasks/") if key.endswith("/end.json")]
        for key in keys:
            if key not in self._records:
                self._records[key] = self.read(key)
        return {key: EndRecord.model_validate_json(self._records[key]) for key in keys}

    def runs(self, prefix: str = "") -> list[RunRecord]:
        """Every run of every task below ``prefix``, with all of its objects."""
        grouped: dict[tuple[str, int], list[str]] = {}
        start = f"{prefix}tasks/"
        for key in self.keys(start):
            parts = key.removeprefix(prefix).split("/")
            if len(parts) > _RUN_PARTS and parts[2] == "runs" and parts[3].isdigit():
                grouped.setdefault((parts[1], int(parts[3])), []).append(key)
        return [self._run(key, run, found) for (key, run), found in sorted(grouped.items())]

    def remove(self, prefixes: Iterable[str]) -> None:
        """Delete everything below the prefixes, then the bucket if that was all; a missing one is as good."""
        try:
            for prefix in prefixes:
                for key in list(self._keys(prefix)):
                    self._client.delete_object(Bucket=self.name, Key=key)
            if not any(True for _ in self._keys("")):
                self._client.delete_bucket(Bucket=self.name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchBucket", "404"}:
                raise self._refused("deleting the bucket", error) from error
        except BotoCoreError as error:
            raise self._refused("deleting the bucket", error) from error
        self._records.clear()

    def _run(self, task_key: str, run: int, found: list[str]) -> RunRecord:
        claims = [key for key in found if attempt_of(key) is not None]
        end = next((key for key in found if key.endswith(f"/runs/{run}/end.json")), None)
        return RunRecord(
            task_key=task_key,
            run=run,
            claims=tuple(Claim.model_validate_json(self.read(key)) for key in claims),
            end=EndRecord.model_validate_json(self.read(end)) if end else None,
            files=tuple(key for key in found if key not in claims and key != end),
        )

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        for page in pages:
            for item in page.get("Contents", ()):
                yield item["Key"]

    def _refused(self, doing: str, error: ClientError | BotoCoreError) -> StackError:
        return StackError(f"S3 at {self.access.endpoint}: {doing} (bucket {self.name}) failed: {error}")

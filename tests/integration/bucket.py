"""A bucket of a real object store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True)
class Bucket:
    """An object store with one bucket for the tests."""

    endpoint: str
    access_key: str
    secret_key: str
    name: str

    def client(self) -> S3Client:
        return _client(self.endpoint, self.access_key, self.secret_key)


@cache
def _client(endpoint: str, access_key: str, secret_key: str) -> S3Client:
    """One for all tests of a process: it may be used by several threads, and to make one takes longer than to ask."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
    )

"""The object store by boto3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    SSLError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from genpool_adapters.objectstore.credentials import session_of
from genpool_adapters.objectstore.port import JSON, Beginning, Put, Stored
from genpool_core import timing
from genpool_core.errors import Lasts, SettingsError, StorageError
from genpool_core.workerconfig import S3Config

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ErrorTypeDef

_DELETE_MAX = 1000
#: Threads of a transfer would outlive a drain's last moment: the interpreter waits for them.
_TRANSFER = TransferConfig(use_threads=False)
_NO_ANSWER = (BotoConnectionError, HTTPClientError, IncompleteReadError)
_NO_LOGIN = (CredentialRetrievalError, MetadataRetrievalError, TokenRetrievalError)
#: Seconds to connect and between two reads, and tries.
_PATIENT = (timing.STORE_CONNECT_SECONDS, timing.STORE_READ_SECONDS, timing.STORE_TRIES)
_SOON = (timing.CLAIM_CONNECT_SECONDS, timing.CLAIM_READ_SECONDS, 1)
#: Tries of a put beside deletions.
_BESIDE_DELETIONS = 6
_HINTS = {
    "NoSuchBucket": "the bucket does not exist: make it, or correct {bucket}",
    "InvalidAccessKeyId": "the access key is unknown: correct the Secret in {keys}",
    "SignatureDoesNotMatch": "the secret key is wrong: correct the Secret in {keys}",
    "AccessDenied": "access is denied: give the key the right to list, get, put and delete in this bucket",
    "403": "access is denied: give the key the right to list, get, put and delete in this bucket",
}

#: The object itself is refused, whoever puts it and whenever.
_NEVER = frozenset({"EntityTooLarge", "KeyTooLongError", "InvalidArgument", "MetadataTooLarge", "InvalidURI"})
#: Answers of the 300s and 400s with which a store says that it is busy.
_BUSY = frozenset({"SlowDown", "RequestTimeout", "TooManyRequests", "OperationAborted"})


@dataclass(frozen=True)
class StoreFields:
    """The fields that a person corrects, as sentences name them."""

    bucket: str = "storage.s3.bucket"
    keys: str = "storage.s3.credentials"
    """The field that names the Secret with the keys."""


POOL_FIELDS = StoreFields()


class S3Store:
    """Implements ``port.ObjectStore`` for several threads. Keys are from a folder, or from where boto3 finds them.

    ``fields``: what its sentences advise to correct.
    """

    def __init__(
        self, config: S3Config, keys: Path | None = None, *, fields: StoreFields = POOL_FIELDS
    ) -> None:
        self._bucket = config.bucket
        self._fields = fields
        self._ttl = config.url_ttl_seconds
        self._where = config.endpoint or f"AWS region {config.region}"
        try:
            session = boto3.Session(botocore_session=None if keys is None else session_of(keys, fields.keys))
            self._client = _client(session, config.region, config.endpoint, _PATIENT)
            self._soon = _client(session, config.region, config.endpoint, _SOON)
            self._signer = _client(
                session, config.region, config.public_endpoint or config.endpoint, _PATIENT
            )
        except (BotoCoreError, ValueError) as error:
            raise SettingsError(
                f"S3 cannot be used as it is set up: {error}. Correct storage.s3, or the Secret in {fields.keys}."
            ) from error

    def keys(self, prefix: str) -> list[str]:
        """All keys that begin so."""
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def get(self, key: str) -> Stored | None:
        """An object, or None."""
        with self._translated():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                headers = answer["ResponseMetadata"]["HTTPHeaders"]
                return Stored(answer["Body"].read(), _age(answer["LastModified"], headers.get("date")))
            except ClientError as error:
                if _code(error) == "NoSuchKey":
                    return None
                raise

    def beginning(self, key: str, size: int) -> Beginning | None:
        """How an object begins, or None, in one short try."""
        with self._translated():
            try:
                answer = self._soon.get_object(Bucket=self._bucket, Key=key, Range=f"bytes=0-{size - 1}")
            except ClientError as error:
                code = _code(error)
                if code == "NoSuchKey":
                    return None
                if code == "InvalidRange":
                    # Of an object of no bytes nothing can be sent.
                    return Beginning(b"", 0)
                raise
            with closing(answer["Body"]) as body:
                # A store may send all of it instead: then its length is that of the object.
                whole = answer.get("ContentRange", "").rpartition("/")[2]
                return Beginning(body.read(size), int(whole) if whole.isdigit() else answer["ContentLength"])

    def create(self, key: str, data: bytes) -> Put:
        """Put only where there is none."""
        with self._translated():
            try:
                self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=data, ContentType=JSON, IfNoneMatch="*"
                )
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                answer = {412: Put.EXISTS, 409: Put.CONFLICT}.get(status or 0)
                if answer is None:
                    raise
                return answer
            return Put.CREATED

    def put(self, key: str, data: bytes, content_type: str = JSON) -> None:
        """Put an object."""
        with self._translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type)

    def put_soon(self, key: str, data: bytes) -> None:
        """Put a JSON object in one short try."""
        with self._translated():
            self._soon.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=JSON)

    def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Put a file; a large one in parts."""
        with self._translated():
            try:
                self._client.upload_file(
                    str(path), self._bucket, key, ExtraArgs={"ContentType": content_type}, Config=_TRANSFER
                )
            except boto3.exceptions.S3UploadFailedError as error:
                # boto3 puts the store's answer into a sentence without advice; the answer itself is translated.
                answer = error.__cause__ or error.__context__
                if isinstance(answer, ClientError):
                    raise answer from None
                raise StorageError(f"the bucket {self._bucket} did not take a file: {error}") from error

    def delete(self, keys: list[str]) -> None:
        """Delete objects."""
        with self._translated():
            for start in range(0, len(keys), _DELETE_MAX):
                part = keys[start : start + _DELETE_MAX]
                answer = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": [{"Key": key} for key in part], "Quiet": True},
                )
                self._check_deleted(answer.get("Errors", []), of=len(part))

    def _check_deleted(self, errors: Sequence[ErrorTypeDef], *, of: int) -> None:
        """The answer is a success also where single objects were refused, and lists those. Raises StorageError."""
        if errors:
            code = errors[0].get("Code", "Unknown")
            said = self._hint(code) or errors[0].get("Message") or code
            raise StorageError(
                f"the bucket {self._bucket} at {self._where} did not delete {len(errors)} of {of} objects ({code}): "
                f"{said}.",
                refusal=code in _HINTS,
            )

    def sign(self, key: str, *, save_as: str | None = None) -> str:
        """A link for the public endpoint, valid as long as the pool says. ``save_as``: a browser saves it so."""
        params = {"Bucket": self._bucket, "Key": key}
        if save_as is not None:
            params["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(save_as, safe='')}"
        with self._translated():
            return self._signer.generate_presigned_url("get_object", Params=params, ExpiresIn=self._ttl)

    def sign_put(self, key: str, content_type: str, size: int, seconds: float) -> str:
        """A link by which one object of exactly this size and type may be put. No I/O."""
        with self._translated():
            params = {
                "Bucket": self._bucket,
                "Key": key,
                "ContentType": content_type,
                "ContentLength": size,
            }
            return self._signer.generate_presigned_url("put_object", Params=params, ExpiresIn=int(seconds))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = _code(error)
            said = self._hint(code) or error.response.get("Error", {}).get("Message") or code
            raise StorageError(
                f"the bucket {self._bucket} at {self._where} refused ({code}): {said.rstrip('.')}.",
                lasts=Lasts.NEVER if code in _NEVER else Lasts.OUTAGE,
                refusal=_is_refusal(error),
            ) from error
        except SettingsError as error:
            raise StorageError(
                f"the bucket {self._bucket} at {self._where} was not asked: {error.message}",
                reason=error.reason,
                refusal=True,
            ) from error
        except NoCredentialsError as error:
            raise StorageError(
                f"the bucket {self._bucket} at {self._where} was not asked: there are no S3 credentials: name a Secret "
                f"with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in {self._fields.keys}, or give the pod an "
                "identity.",
                refusal=True,
            ) from error
        except BotoCoreError as error:
            said, refusal = _trouble(error, self._fields.keys)
            raise StorageError(
                f"the bucket {self._bucket} at {self._where} {said}.", refusal=refusal
            ) from error

    def _hint(self, code: str) -> str | None:
        hint = _HINTS.get(code)
        return None if hint is None else hint.format(bucket=self._fields.bucket, keys=self._fields.keys)


def _is_refusal(error: ClientError) -> bool:
    """Whether an answer says that somebody has to change something, and not that the store is out of order."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    server_error = 500
    return 0 < status < server_error and _code(error) not in _BUSY


def _trouble(error: BotoCoreError, keys: str) -> tuple[str, bool]:
    """What a failure without an answer of the store means, and what to do; whether somebody has to change a setting.

    ``keys``: the field that names the Secret.
    """
    kind = type(error).__name__
    if isinstance(error, SSLError):
        return (
            "has a TLS certificate that cannot be verified: correct the endpoint, or trust its authority",
            False,
        )
    if isinstance(error, HTTPClientError) and isinstance(
        error.kwargs.get("error"), (ValueError, UnicodeError)
    ):
        # http.client refuses the header before anything is sent.
        fault = "AWS_ACCESS_KEY_ID holds a line break or another character that no header has"
        return f"was not asked: {fault}: correct the Secret in {keys}", True
    if isinstance(error, _NO_ANSWER):
        return f"does not answer ({kind}): check the endpoint and the network", False
    if isinstance(error, _NO_LOGIN):
        return (
            f"was not asked: the pod's identity gave no credentials ({kind}): check its service account",
            False,
        )
    return (
        f"was not asked ({kind}): correct endpoint, region and bucket in storage.s3, and the Secret in {keys}",
        True,
    )


def _client(
    session: boto3.Session, region: str, endpoint: str | None, patience: tuple[float, float, int]
) -> S3Client:
    """A store behind an endpoint of its own is addressed by path: its host name knows no buckets."""
    connect, read, tries = patience
    made = session.client(
        "s3",
        region_name=region,
        endpoint_url=endpoint,
        config=Config(
            connect_timeout=connect,
            read_timeout=read,
            retries={"mode": "standard", "total_max_attempts": tries},
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint else "auto"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            max_pool_connections=16,
        ),
    )
    made.meta.events.register("needs-retry.s3", _beside_deletions)  # type: ignore[arg-type] # its stub has no answers
    return made


def _beside_deletions(response: object, attempts: int, **_: object) -> float | None:
    """For botocore: seconds until a request is sent again, None: not for this reason.

    A store on a file system (versitygw 1.8.0) takes a folder away when its last object is deleted. A put that meets
    this moment is told that a folder stands in its place, and succeeds when it is sent again.
    """
    if attempts >= _BESIDE_DELETIONS or not isinstance(response, tuple):
        return None
    error = response[1].get("Error") or {}
    return 0.0 if error.get("Code") == "ExistingObjectIsDirectory" else None


def _age(written: datetime, date: str | None) -> float:
    """Seconds since a write, by the ``Date`` of the store's answer; by our own clock where there is none to read."""
    try:
        now = parsedate_to_datetime(date or "")
    except ValueError:
        now = datetime.now(UTC)
    if now.tzinfo is None:
        now = now.replace(tzinfo=UTC)
    return max(0.0, (now - written).total_seconds())


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "Unknown")

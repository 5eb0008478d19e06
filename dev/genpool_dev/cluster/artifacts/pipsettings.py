"""pip's settings of this machine, for builds of images: index, proxy, certificates.

They go in as build secrets, so that neither an address nor a password of them stays in an image.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from genpool_dev.cluster import shell
from genpool_dev.cluster.artifacts.workspace import workspace

CARRIED = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
CERTIFICATES_INSIDE = "/run/certificates.pem"
"""Where images/Dockerfile mounts the certificates."""


def configuration(listed: str, *, has_certificates: bool) -> str:
    """Turn the output of ``pip config list`` into a pip.conf for a build.

    Lines look like ``global.index-url='https://…'`` or ``:env:.timeout='180'``; settings of the
    environment win, as they do in pip. Paths of this machine (find-links, cert) stay out.
    """
    found: dict[str, str] = {}
    by_environment: dict[str, str] = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        scope, _, key = name.rpartition(".")
        if key not in CARRIED:
            continue
        chosen = by_environment if scope == ":env:" else found
        chosen[key] = value.strip("'\"").replace("\\n", " ")
    settings = found | by_environment
    if has_certificates:
        settings["cert"] = CERTIFICATES_INSIDE
    return "\n".join(["[global]", *(f"{key} = {settings[key]}" for key in sorted(settings)), ""])


def bundle(env: Mapping[str, str]) -> Path | None:
    """Return the certificates that programs of this machine trust, or nothing if none is found."""
    names = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
    places = [env[name] for name in names if env.get(name)]
    default = ssl.get_default_verify_paths().cafile
    for place in (*places, "/etc/ssl/certs/ca-certificates.crt", default):
        if place and Path(place).is_file():
            return Path(place)
    return None


@contextmanager
def secrets() -> Iterator[Path]:
    """Give a folder with ``pip.conf`` and ``certificates.pem`` for the length of the block."""
    trusted = bundle(os.environ)
    listed = shell.run([sys.executable, "-m", "pip", "config", "list"])
    with workspace() as folder:
        folder.chmod(0o700)  # an index's address may hold a password
        settings = configuration(listed, has_certificates=trusted is not None)
        (folder / "pip.conf").write_text(settings)
        certificates = trusted.read_bytes() if trusted else b""
        (folder / "certificates.pem").write_bytes(certificates)
        yield folder

"""Root for the commands that need it: asked for once, with the reason, through sudo."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from genpool_dev.cluster.errors import ClusterError

CARRIED = (
    "CURL_CA_BUNDLE", "GENPOOL_", "GOFLAGS", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB",
    "HTTPS_PROXY", "HTTP_PROXY", "KEEP", "NO_PROXY", "PIP_", "PROVIDER", "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR", "SSL_CERT_FILE", "TERM", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Variables that go with the command; those that end in ``_`` are the starts of names."""

REASON = (
    "The local cluster makes namespaces, mounts and containers, which only root may. sudo is asked "
    "once; everything it makes lies in /var/lib/genpool-dev and /var/cache/genpool."
)


def carried(env: Mapping[str, str]) -> list[str]:
    """Return the names of variables that the command needs as root too."""
    return sorted(
        name
        for name in env
        if any(name.startswith(each) if each.endswith("_") else name == each for each in CARRIED)
    )


def sudo_command(arguments: Sequence[str], env: Mapping[str, str], python: str) -> list[str]:
    """Return the command that runs this program as root. Pure.

    Variables go by name, so that no value, which may be a password, is seen in the list of
    processes; PATH goes by value, since sudo sets its own. Nothing is written into the checkout.
    """
    keep = f"--preserve-env={','.join(carried(env))}"
    settings = [f"PATH={env.get('PATH', '')}", "PYTHONDONTWRITEBYTECODE=1"]
    module = [python, "-m", "genpool_dev", *arguments]
    return ["sudo", keep, "--prompt=[sudo] password for %u: ", "env", *settings, *module]


def can_be_root() -> bool:
    """Tell whether :func:`ensure_root` would get through; asks nobody for a password."""
    return os.geteuid() == 0 or (
        shutil.which("sudo") is not None and (_sudo_is_silent() or sys.stdin.isatty())
    )


def _sudo_is_silent() -> bool:
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0


def ensure_root() -> None:
    """Go on as root: returns if this is root, else becomes the same command under sudo."""
    if os.geteuid() == 0:
        return
    if shutil.which("sudo") is None:
        raise ClusterError(
            "The local cluster needs root, and there is no sudo here: run this as root, or start "
            "Docker and use PROVIDER=kind."
        )
    if not _sudo_is_silent() and not sys.stdin.isatty():
        raise ClusterError(
            "The local cluster needs root, and there is no terminal on which sudo could ask for "
            "the password: run this as root, or start Docker and use PROVIDER=kind."
        )
    print(REASON, file=sys.stderr, flush=True)
    command = sudo_command(sys.argv[1:], os.environ, sys.executable)
    os.execvp(command[0], command)  # noqa: S606 - becomes sudo on purpose

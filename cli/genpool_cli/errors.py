"""What goes wrong at the command line, and the exit code that says so to scripts."""

from __future__ import annotations

from enum import IntEnum

from genpool_core.errors import GenPoolError


class ExitCode(IntEnum):
    """Exit codes of ``genpool``; they are documented and stay as they are."""

    DONE = 0
    """Everything was done."""
    NOT_SUCCEEDED = 1
    """A task that was waited for ended otherwise than succeeded, or something that was checked is wrong."""
    USAGE = 2
    """The command line is wrong: nothing was asked for."""
    REFUSED = 3
    """The gateway, or a file of this machine, refused it: sent again it would be refused again."""
    AWAY = 4
    """No answer, or not now: sent again later it may be done."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CliError(GenPoolError):
    """A sentence for the person at the terminal."""

    exit_code = ExitCode.REFUSED
    reason = "Refused"


class Refused(CliError):  # noqa: N818 - as the API calls it
    """The gateway's answer is a problem (RFC 9457); ``status`` is the HTTP status, ``problem`` the whole of it."""

    def __init__(self, message: str, *, reason: str, status: int, problem: dict[str, object]) -> None:
        super().__init__(message, reason=reason)
        self.status = status
        self.problem = problem


class Away(CliError):  # noqa: N818 - as the exit code
    """No answer, or one that says: later."""

    exit_code = ExitCode.AWAY
    reason = "Away"


class NotSucceeded(CliError):  # noqa: N818 - as the exit code
    """What was waited for did not succeed."""

    exit_code = ExitCode.NOT_SUCCEEDED
    reason = "NotSucceeded"


class WrongUse(CliError):  # noqa: N818 - as the exit code
    """What was typed does not fit together."""

    exit_code = ExitCode.USAGE
    reason = "Usage"

"""How every program starts and ends. What stands against a start is told in one line of the log."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import structlog

from genpool_adapters.logs import configure_logging
from genpool_adapters.settings import ProgramSettings, log_format_of_environment
from genpool_core.errors import GenPoolError, SettingsError

_log = structlog.get_logger(__name__)
#: Exit status of a program that refuses to start: starting it again as it is set up would not help.
EXIT_REFUSED = 2
Settings = TypeVar("Settings", bound=ProgramSettings)
Program = TypeVar("Program")


def run_program(
    name: str,
    settings: type[Settings],
    build: Callable[[Settings], Program],
    run: Callable[[Program], int],
) -> int:
    """Read the settings, build the program and run it; its exit status.

    Where ``settings`` or ``build`` raise a GenPoolError or an OSError, the log has ``<name>_refuses`` with reason and
    message, and the status is 2. What ``run`` raises goes through.
    """
    configure_logging(name, log_format_of_environment())
    try:
        chosen = settings.load()
        configure_logging(name, chosen.log_format, chosen.log_level)
        program = build(chosen)
    except GenPoolError as error:
        return _refuse(name, error.reason, error.message)
    except OSError as error:
        return _refuse(name, SettingsError.reason, f"{error}.")
    return run(program)


def leave(code: int) -> NoReturn:
    """End this process at once, after all has been stopped in order.

    A thread of a library that hangs, or a slow farewell of the interpreter, would keep a GPU or a lock.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _refuse(name: str, reason: str, message: str) -> int:
    _log.error(f"{name}_refuses", reason=reason, message=message)
    return EXIT_REFUSED

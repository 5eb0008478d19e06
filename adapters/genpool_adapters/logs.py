"""Logs: one event a line, a constant name and key-values, for machines (json) or people (console)."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from genpool_core.version import __version__

LogFormat = Literal["json", "console"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_SECRET = ("password", "secret", "authorization", "signature", "token")
#: Packages whose level can be set; programs are run with ``-m``, so one of their modules is ``__main__``.
_OURS = (
    "__main__",
    "genpool_core",
    "genpool_adapters",
    "genpool_operator",
    "genpool_worker",
    "genpool_gateway",
    "genpool_cli",
    "genpool_dev",
)
#: Libraries that speak too much, and from which level they are heard. Pika tells each failed connection several times
#: with tracebacks at ERROR; the AMQP adapter reports the same once, in a sentence.
_LIBRARIES = {
    "pika": logging.CRITICAL,
    "kopf": logging.WARNING,
    "urllib3": logging.ERROR,
    "botocore": logging.WARNING,
}


def configure_logging(component: str, fmt: LogFormat = "json", level: LogLevel = "INFO") -> None:
    """Send structlog's and the standard library's logs to standard error; ``component`` is on every line."""

    def add_component(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["component"] = component
        event["version"] = __version__
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_component,
        hide_secrets,
    ]
    renderers: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if fmt == "json"
        # A plain traceback: the pretty one shows local variables, and so credentials.
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for ours in _OURS:
        logging.getLogger(ours).setLevel(level)
    for name, least in _LIBRARIES.items():
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def hide_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The last net: a value whose key sounds secret is never written."""
    for key in event:
        if any(word in key.lower() for word in _SECRET):
            event[key] = "(hidden)"
    return event

"""The operator's process: ``python -m genpool_operator.app``."""

from __future__ import annotations

import sys

import kopf
import structlog
from pydantic import ValidationError

from genpool_adapters.logs import configure_logging
from genpool_core.errors import GenPoolError
from genpool_core.validation import first_fault
from genpool_operator.factory import Operator, build_operator
from genpool_operator.settings import OperatorSettings

_log = structlog.get_logger("genpool_operator.app")
IDENTITY = "genpool-operator"


def main() -> int:
    """Run until SIGTERM or SIGINT; the exit status."""
    try:
        settings = OperatorSettings()
    except ValidationError as error:
        field, _, fault = first_fault(error).partition(": ")
        sys.stderr.write(
            f"genpool-operator: the setting GENPOOL_{field.upper()} is wrong or missing: {fault}.\n"
        )
        return 2
    configure_logging("operator", settings.log_format, settings.log_level)
    try:
        operator = build_operator(settings)
    except (GenPoolError, OSError) as error:
        _log.error("operator_cannot_start", message=str(error))
        return 2
    return run(operator)


def run(operator: Operator) -> int:
    """Run the watches in this thread, everything else in its own."""
    operator.start()
    _log.info("operator_started", port=operator.web.port)
    try:
        kopf.run(
            registry=operator.registry,
            settings=operator.settings,
            standalone=True,
            clusterwide=not operator.namespaces,
            namespaces=operator.namespaces,
            # Without one kopf asks for the name of the user, and the user of a container may have none.
            identity=IDENTITY,  # type: ignore[arg-type]  # a str whose name kopf does not export
        )
    finally:
        operator.stop()
        _log.info("operator_stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())

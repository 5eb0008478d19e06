"""What made an error, below the errors that libraries wrap around it."""

from __future__ import annotations


def root_cause(error: BaseException) -> BaseException:
    """The error that a library's error holds, or that this one holds, and so on.

    pika and urllib3 say what it is in ``exceptions``, ``exception``, ``reason`` or an argument.
    """
    while True:
        inner = next((item for item in _inside(error) if isinstance(item, BaseException)), None)
        if inner is None:
            return error
        error = inner


def _inside(error: BaseException) -> list[object]:
    nested = getattr(error, "exceptions", None)
    if isinstance(nested, (list, tuple)) and nested:
        return [nested[-1]]
    return [getattr(error, "exception", None), getattr(error, "reason", None), *error.args]

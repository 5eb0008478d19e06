"""The one error of the stack: a sentence for the person at the terminal."""

from __future__ import annotations


class StackError(Exception):
    """Something that keeps GenPool from being installed, used or taken away; the message says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

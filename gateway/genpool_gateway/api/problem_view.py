"""The shape of a refusal."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ProblemView(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:genpool:reason:InvalidTask",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "width: 100000 is over the maximum of 2048.",
                    "reason": "InvalidTask",
                    "code": 1002,
                    "parameter": "width",
                    "expected": {"type": "integer", "minimum": 64, "maximum": 2048},
                    "sent": 100000,
                }
            ]
        },
    )

    type: str
    """``urn:genpool:reason:`` and the reason."""
    title: str
    """Short, the same for each such problem."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened, to what, why, and what to do."""
    reason: str
    """Constant in CamelCase."""
    code: int
    """Number of the reason."""

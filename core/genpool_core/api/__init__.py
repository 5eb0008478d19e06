"""The GenerationPool object in pydantic: the one source of the CRD, its reference, and what the operator parses."""

from genpool_core.api.pool import GenerationPool, ObjectMeta
from genpool_core.api.spec import GenerationPoolSpec
from genpool_core.api.status import Condition, GenerationPoolStatus

__all__ = [
    "Condition",
    "GenerationPool",
    "GenerationPoolSpec",
    "GenerationPoolStatus",
    "ObjectMeta",
]

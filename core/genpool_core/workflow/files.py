"""The two files of a workflow as texts, and how they are found in a ConfigMap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genpool_core.api.workflows import ConfigMapSource
from genpool_core.strict_json import BYTE_ORDER_MARK, JsonFault, decode_text

#: Names of the files in a folder.
TEMPLATE = "template.json"
PARAMETERS = "workflow.yaml"


@dataclass(frozen=True)
class WorkflowFiles:
    """Texts of ``template.json`` and ``workflow.yaml``."""

    template: str
    parameters: str


@dataclass(frozen=True)
class MissingFiles:
    """The files are not where the spec says; ``message`` says what is missing and where."""

    message: str


def files_of_config_map(
    source: ConfigMapSource, data: Mapping[str, str], binary: Mapping[str, bytes]
) -> WorkflowFiles | MissingFiles:
    """The files that a ConfigMap of the pool's author holds; ``binary`` is what is no UTF-8 in it."""
    there = sorted({*data, *binary})
    missing = [key for key in (source.key, source.parameters_key) if key not in there]
    if missing:
        has = ", ".join(there) or "no key"
        return MissingFiles(f"ConfigMap {source.name} has no key {missing[0]}; it has {has}.")
    texts = []
    for key in (source.key, source.parameters_key):
        try:
            # kubectl puts a file that is no UTF-8 under binaryData, such as one that PowerShell wrote.
            texts.append(data[key] if key in data else decode_text(binary[key]))
        except JsonFault as fault:
            return MissingFiles(f"key {key} of ConfigMap {source.name} {fault.what}. {fault.advice}")
    return WorkflowFiles(*(text.removeprefix(BYTE_ORDER_MARK) for text in texts))

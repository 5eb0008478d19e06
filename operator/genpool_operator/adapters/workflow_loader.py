"""Workflow files: of the release, or from a ConfigMap of the pool's namespace."""

from __future__ import annotations

from pathlib import Path

from genpool_core.api.pool import GenerationPool
from genpool_core.api.workflows import ConfigMapSource, WorkflowSpec
from genpool_core.strict_json import BYTE_ORDER_MARK, JsonFault, decode_text
from genpool_operator.decide.workflows import MissingFiles, WorkflowFiles
from genpool_operator.ports import Cluster

TEMPLATE = "template.json"
PARAMETERS = "workflow.yaml"


class WorkflowLoader:
    """Reads the files anew each time, so that an edited ConfigMap counts."""

    def __init__(self, builtin: Path, cluster: Cluster) -> None:
        self._builtin = builtin
        self._cluster = cluster

    def load(self, pool: GenerationPool) -> dict[str, WorkflowFiles | MissingFiles]:
        """The files of each workflow of a pool, by the workflow's name.

        Raises
        ------
        ClusterError
            A ConfigMap could not be asked for.
        """
        return {spec.name: self._files(pool.metadata.namespace, spec) for spec in pool.spec.workflows}

    def _files(self, namespace: str, spec: WorkflowSpec) -> WorkflowFiles | MissingFiles:
        if spec.source.config_map is not None:
            return self._from_config_map(namespace, spec.source.config_map)
        return self._from_release(spec.source.builtin or "")

    def _from_config_map(self, namespace: str, source: ConfigMapSource) -> WorkflowFiles | MissingFiles:
        found = self._cluster.get_config_map(namespace, source.name)
        if found is None:
            return MissingFiles(f"there is no ConfigMap {source.name} in namespace {namespace}: make it.")
        there = sorted({*found.data, *found.binary})
        missing = [key for key in (source.key, source.parameters_key) if key not in there]
        if missing:
            has = ", ".join(there) or "no key"
            return MissingFiles(f"ConfigMap {source.name} has no key {missing[0]}; it has {has}.")
        texts = []
        for key in (source.key, source.parameters_key):
            try:
                # kubectl puts a file that is no UTF-8 under binaryData, such as one that PowerShell wrote.
                texts.append(found.data[key] if key in found.data else decode_text(found.binary[key]))
            except JsonFault as fault:
                return MissingFiles(f"key {key} of ConfigMap {source.name} {fault.what}. {fault.advice}")
        return WorkflowFiles(*(text.removeprefix(BYTE_ORDER_MARK) for text in texts))

    def _from_release(self, name: str) -> WorkflowFiles | MissingFiles:
        known = sorted(path.parent.name for path in self._builtin.glob(f"*/{PARAMETERS}"))
        # Only names that are there are opened, so a name cannot lead anywhere else.
        if name not in known:
            return MissingFiles(f"GenPool ships no workflow {name}. It ships: {', '.join(known)}.")
        folder = self._builtin / name
        try:
            return WorkflowFiles(
                (folder / TEMPLATE).read_text(encoding="utf-8"),
                (folder / PARAMETERS).read_text(encoding="utf-8"),
            )
        except OSError as error:
            return MissingFiles(
                f"its shipped files cannot be read ({type(error).__name__}): reinstall GenPool."
            )

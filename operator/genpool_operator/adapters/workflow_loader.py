"""Workflow files: of the release, or from a ConfigMap of the pool's namespace."""

from __future__ import annotations

from pathlib import Path

from genpool_adapters.shipped_workflows import shipped_files
from genpool_core.api.pool import GenerationPool
from genpool_core.api.workflows import ConfigMapSource, WorkflowSpec
from genpool_core.workflow.files import MissingFiles, WorkflowFiles, files_of_config_map
from genpool_operator.ports import Cluster


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
        return shipped_files(self._builtin, spec.source.builtin or "")

    def _from_config_map(self, namespace: str, source: ConfigMapSource) -> WorkflowFiles | MissingFiles:
        found = self._cluster.get_config_map(namespace, source.name)
        if found is None:
            return MissingFiles(f"there is no ConfigMap {source.name} in namespace {namespace}: make it.")
        return files_of_config_map(source, found.data, found.binary)

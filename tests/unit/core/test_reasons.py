"""Every reason with which a task, an attempt, a callback or a request can end has a number that never changes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from genpool_core.reasons import CODES, RANGES, REASONS, code_of

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("core", "adapters", "worker", "gateway")
#: Files whose constants are no reasons of ours: types of conditions, names of objects, what Kubernetes says.
ELSEWHERE = {"reasons.py", "conditions.py", "names.py", "refusals.py"}
_CONSTANT = re.compile(r"[A-Z][A-Za-z0-9]+")
#: Reasons of programs that cannot work as they are set up, of pools' conditions and of workers that wait: with none of
#: these does a task, an attempt, a callback or a request end.
NOT_OF_TASKS = {
    *("Error", "SettingsInvalid", "SecretMissing", "InvalidSigningKeys", "InvalidKeys", "InvalidBrokersFile"),
    *("BrokerCredentialsMissing", "BrokerCertificatesInvalid", "StoreNotAtomic"),
    *("BrokerUnknown", "BrokerNotAllowed", "VhostNotAllowed", "InvalidManifest", "InvalidWorkflow"),
    *("ComfyUIUnavailable", "ComfyUIBusy", "ComfyUIWedged", "NoWorkflowAvailable", "PromptRefused"),
    *("NodeMissing", "ModelMissing", "TopologyConflict", "KubernetesError"),
    *(
        "ApiKeyMissing",
        "DatabaseUrlMissing",
        "InvalidStoresFile",
        "IntakeTaken",
        "TwoFallbacks",
        "WorkflowServedTwice",
    ),
}


def reasons_in(tree: ast.AST) -> Iterator[str]:
    """Constants that stand where a reason is given: by name, as a constant of a module, or out of a function for it."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="reason", value=value):
                yield from constants(value)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if "reason" in name.lower():
                yield from constants(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                "reason" in name.lower()
            ):
                yield from constants(value)
            case ast.FunctionDef(name=name) if "reason" in name:
                returned = (item for item in ast.walk(node) if isinstance(item, ast.Return) and item.value)
                yield from (text for item in returned for text in constants(item))
            case ast.Call(
                func=ast.Name(id="Ending" | "Waits" | "Forbidden" | "_given_up" | "Problem"), args=args
            ):
                yield from (text for item in args for text in constants(item))
            case ast.Call(func=ast.Attribute(attr="fromkeys"), args=[_, value]):
                yield from constants(value)


def constants(node: ast.AST) -> Iterator[str]:
    """Constants of an expression, but for those that something is compared with."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CONSTANT.fullmatch(node.value):
        yield node.value
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Compare):
            yield from constants(child)


def capital_constants(tree: ast.Module) -> Iterator[str]:
    """``WORKFLOW_UNAVAILABLE = "WorkflowUnavailable"``: a name in capitals for the same in CamelCase."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                if name.isupper() and _CONSTANT.fullmatch(text):
                    yield text


def found_in_the_sources() -> dict[str, str]:
    """Where each reason stands."""
    found: dict[str, str] = {}
    paths = (path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))
    for path in sorted(path for path in paths if path.name not in ELSEWHERE):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for reason in (*reasons_in(tree), *capital_constants(tree)):
            found.setdefault(reason, str(path.relative_to(ROOT)))
    return found


FOUND = found_in_the_sources()


def test_the_search_finds_each_way_to_give_a_reason() -> None:
    assert {"NodeFailed", "WorkflowUnavailable", "ComfyUILost", "VolumeFailed", "Succeeded"} <= FOUND.keys()
    assert {
        "ReceiverFailed",
        "OutOfMemory",
        "WorkerLost",
        "TooManyRedirects",
        "UntrustedSender",
    } <= FOUND.keys()


@pytest.mark.parametrize("reason", sorted(FOUND.keys() - NOT_OF_TASKS))
def test_every_reason_has_a_number(reason: str) -> None:
    assert reason in CODES, (
        f"give {reason} ({FOUND[reason]}) a number in genpool_core.reasons, and say what to do"
    )


def test_a_number_stands_for_one_reason() -> None:
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize("name", sorted(CODES))
def test_a_number_lies_in_a_range_and_has_its_sentences(name: str) -> None:
    reason = REASONS[name]
    assert name == "Succeeded" or reason.code // 1000 in RANGES
    assert reason.happened.endswith(".")
    assert reason.advice.endswith(".")


def test_numbers_that_users_rely_on() -> None:
    """These never change."""
    assert CODES["Succeeded"] == 0
    assert (CODES["InvalidTask"], CODES["NodeFailed"], CODES["OutOfMemory"]) == (1002, 2001, 2002)
    assert (CODES["StorageUnavailable"], CODES["WorkerLost"], CODES["InternalError"]) == (3001, 4001, 5000)
    assert (CODES["Cancelled"], CODES["Expired"]) == (6001, 6002)


def test_a_reason_of_a_newer_release_is_a_fault_of_ours() -> None:
    assert code_of("Succeeded") == 0
    assert code_of("NodeFailed") == 2001
    assert code_of("NeverHeardOf") == 5000

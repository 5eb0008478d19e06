"""Flags and environment of the stand-in: ComfyUI's own, then those that a real one has not."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from genpool_dev.comfyui.catalog import DEFAULT_CHECKPOINTS, NODE_PACKS
from genpool_dev.comfyui.profiles import DEFAULT_PROFILE, PROFILES, Profile
from genpool_dev.comfyui.wire import standin_note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENV_PREFIX = "COMFYUI_STANDIN_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_UNITS = {"seconds": 3600.0 * 24, "gb": 4096.0}


@dataclass(frozen=True, slots=True)
class StandInSettings:
    """Everything that a stand-in was started with. Times are seconds."""

    listen: tuple[str, ...]
    port: int
    input_directory: Path
    output_directory: Path
    temp_directory: Path
    """Emptied at every start, as ComfyUI does."""
    user_directory: Path
    """Made at the start where nobody named one; a named one must exist."""
    disable_metadata: bool
    cache_none: bool
    cache_lru: int
    """Entries to keep; 0 keeps the last prompt's only."""
    preview_method: str
    profile: Profile
    load_seconds: float
    """The first use of a model takes this long."""
    step_seconds: float
    start_seconds: float
    """The port opens this long after the process started."""
    history_lag_seconds: float
    """How long after `execution_success` the history entry is written."""
    vram_gb: float
    ignore_sigterm: bool
    looking: Path | None
    """Where a node looks for secrets, for tests; None: there is no such node."""
    node_pack: str
    checkpoints: tuple[str, ...]
    argv: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    """Refuses with a sentence that says what to do."""

    def error(self, message: str) -> NoReturn:
        hint = f"The ComfyUI stand-in was not started: {message}. See --help for what it knows.\n"
        self.exit(2, hint)


def _existing_folder(text: str) -> Path:
    """As ComfyUI's own type for this flag: the folder must be there, and readable."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"Path '{text}' does not exist or is no folder")
    if not os.access(path, os.R_OK):
        raise argparse.ArgumentTypeError(f"You do not have read permissions for '{text}'")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m genpool_dev.comfyui", description=standin_note(), allow_abbrev=False)
    real = parser.add_argument_group("as ComfyUI has them")
    real.add_argument("--listen", nargs="?", const="0.0.0.0,::", default="127.0.0.1")
    real.add_argument("--port", type=int, default=8188)
    real.add_argument("--base-directory", type=Path, default=Path())
    real.add_argument("--input-directory", type=Path)
    real.add_argument("--output-directory", type=Path)
    real.add_argument("--temp-directory", type=Path, help="the files go to its subfolder temp")
    real.add_argument("--user-directory", type=_existing_folder)
    real.add_argument("--disable-metadata", action="store_true")
    real.add_argument("--disable-auto-launch", action="store_true", help="it never launches one")
    real.add_argument("--cpu", action="store_true", help="makes no difference here")
    previews = ("none", "auto", "latent2rgb", "taesd")
    real.add_argument("--preview-method", choices=previews, default="none")
    cache = real.add_mutually_exclusive_group()
    cache.add_argument("--cache-none", action="store_true")
    cache.add_argument("--cache-lru", type=int, default=0, metavar="N")
    own = parser.add_argument_group(
        "the stand-in's own", f"each also by environment: --standin-x-y is {ENV_PREFIX}X_Y"
    )
    own.add_argument("--standin-version", choices=tuple(PROFILES))
    own.add_argument("--standin-load-seconds", type=float)
    own.add_argument("--standin-step-seconds", type=float)
    own.add_argument("--standin-start-seconds", type=float)
    own.add_argument("--standin-history-lag-seconds", type=float)
    own.add_argument("--standin-vram-gb", type=float)
    own.add_argument("--standin-ignore-sigterm", action="store_true", default=None)
    own.add_argument("--standin-looking", metavar="ROOT", help="have a node that looks for secrets below it")
    own.add_argument("--standin-node-pack", choices=NODE_PACKS)
    own.add_argument("--standin-checkpoints", metavar="A,B", help="file names, comma-separated")
    return parser


def _number(name: str, value: object, default: float, parser: argparse.ArgumentParser) -> float:
    unit = name.rsplit("_", 1)[-1]
    if value is None:
        return default
    try:
        number = float(str(value))
    except ValueError:
        parser.error(f"{name} must be a number of {unit}, not '{value}'")
    if not 0 <= number <= _UNITS[unit]:
        parser.error(f"{name} must lie between 0 and {_UNITS[unit]:g}, not {number:g}")
    return number


def _flag(name: str, value: object, parser: argparse.ArgumentParser) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        parser.error(f"{name} must be true or false, not '{value}'")
    return text in _TRUE


def _choice(name: str, value: object, choices: Sequence[str], parser: argparse.ArgumentParser) -> str:
    text = str(value)
    if text not in choices:
        parser.error(f"{name} must be one of {', '.join(choices)}, not '{text}'")
    return text


def load_settings(argv: Sequence[str], environ: Mapping[str, str]) -> StandInSettings:
    """Read flags, then environment, then defaults.

    Raises
    ------
    SystemExit
        With a sentence on standard error, where a flag or a value is not known.
    """
    parser = _parser()
    args = parser.parse_args(list(argv))

    def own(name: str, default: object = None) -> object:
        given = getattr(args, f"standin_{name}")
        return environ.get(f"{ENV_PREFIX}{name.upper()}", default) if given is None else given

    def number(name: str, default: float) -> float:
        return _number(name, own(name), default, parser)

    if args.cache_lru < 0:
        parser.error("--cache-lru must be 0 or more")
    base = args.base_directory.resolve()
    version = _choice("version", own("version", DEFAULT_PROFILE), tuple(PROFILES), parser)
    names = str(own("checkpoints", ",".join(DEFAULT_CHECKPOINTS))).split(",")
    return StandInSettings(
        listen=tuple(part.strip() for part in args.listen.split(",") if part.strip()),
        port=args.port,
        input_directory=(args.input_directory or base / "input").resolve(),
        output_directory=(args.output_directory or base / "output").resolve(),
        temp_directory=(args.temp_directory or base).resolve() / "temp",
        user_directory=(args.user_directory or base / "user").resolve(),
        disable_metadata=args.disable_metadata,
        cache_none=args.cache_none,
        cache_lru=args.cache_lru,
        preview_method=args.preview_method,
        profile=PROFILES[version],
        load_seconds=number("load_seconds", 0.0),
        step_seconds=number("step_seconds", 0.0),
        start_seconds=number("start_seconds", 0.0),
        history_lag_seconds=number("history_lag_seconds", 0.002),
        vram_gb=number("vram_gb", 24.0),
        ignore_sigterm=_flag("ignore_sigterm", own("ignore_sigterm", ""), parser),
        looking=Path(str(looking)) if (looking := own("looking")) else None,
        node_pack=_choice("node_pack", own("node_pack", NODE_PACKS[0]), NODE_PACKS, parser),
        checkpoints=tuple(name.strip() for name in names if name.strip()),
        argv=("main.py", *argv),
    )

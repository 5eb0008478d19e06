"""``make page-pictures``: the pictures of the web page in the documentation, taken anew by the tests that walk it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "images"
_TESTS = "tests/integration/gateway/page"
_WIDTH = 960
_COLOURS = 256
#: What the tests call a picture, with language and width of the window; what the documentation calls it.
PICTURES = {
    "create-done-en-1280": "page-create",
    "create-compare-en-1280": "page-photos",
    "create-running-zh-390": "page-phone-zh",
    "gallery-en-1280": "page-gallery-dark",
    "pools-en-1280": "page-pools",
    "pool-over-time-en-1280": "page-pool",
    "dead-zh-1280": "page-dead-letters-zh",
}


def main() -> int:
    """Run the tests and keep their pictures; the exit code is 0, or that of the tests."""
    with tempfile.TemporaryDirectory() as taken:
        environment = os.environ | {"GENPOOL_PAGE_PICTURES": taken}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", _TESTS], cwd=ROOT, env=environment, check=False
        )
        if done.returncode == 0:
            FOLDER.mkdir(exist_ok=True)
            for source, name in PICTURES.items():
                shrink(Path(taken) / f"{source}.png", FOLDER / f"{name}.png")
        return done.returncode


def shrink(source: Path, target: Path) -> None:
    """A picture of at most the width of a page, in so few colours that nobody sees it."""
    image = Image.open(source).convert("RGB")
    if image.width > _WIDTH:
        image = image.resize((_WIDTH, image.height * _WIDTH // image.width), Image.Resampling.LANCZOS)
    few = image.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.FLOYDSTEINBERG)
    few.save(target, optimize=True)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())

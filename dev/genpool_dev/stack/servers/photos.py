"""A server of grayscale photos: ``/people/<number>.jpg`` and ``/buildings/<number>.png``.

Run as ``python -m genpool_dev.stack.servers.photos --bind … --ready-file …``.
"""

from __future__ import annotations

import re

from genpool_dev.stack.servers import drawing
from genpool_dev.stack.servers.serve import Handler, arguments, serve

_PATH = re.compile(r"^/(people|buildings)/(\d{1,6})\.(jpg|png)$")


class PhotoHandler(Handler):
    """Answers GET and HEAD of a photo, and of ``/healthz``."""

    def do_GET(self) -> None:  # noqa: N802 - the name that the library calls
        """One photo."""
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self.answer_json(200, {"ok": True})
            return
        found = _PATH.match(path)
        if found is None:
            self.answer_json(404, {"error": "ask for /people/<number>.jpg or /buildings/<number>.png"})
            return
        kind: drawing.Kind = "people" if found[1] == "people" else "buildings"
        form: drawing.Format = "jpeg" if found[3] == "jpg" else "png"
        self.answer(200, drawing.photo(int(found[2]), kind, form), f"image/{form}")

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls


def main() -> None:
    """Serve until told to end."""
    options = arguments("Photos for tasks to work on.").parse_args()
    serve(options.bind, options.port, options.ready_file, PhotoHandler)


if __name__ == "__main__":
    main()

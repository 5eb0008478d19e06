"""For all tests: Ctrl-C counts, also in a run that a shell has put into the background with SIGINT ignored."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Programs that tests start inherit what is ignored, and tests end them by SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""The third file of ``genpool_core.timing``, which has these names too: the times of the command line."""

from __future__ import annotations

# The command line ----------------------------------------------------------------------------------------------------

CLI_CONNECT_SECONDS = 10.0
"""Connecting to a gateway, or to a bucket."""
CLI_READ_SECONDS = 45.0
"""An answer of a gateway beyond the time that was asked to wait; between two parts of a file."""
CLI_RETRY_SECONDS = 1.0
"""Wait before a gateway that did not answer is asked again, where it does not say when."""
CLI_AWAY_SECONDS = 120.0
"""A gateway that does not answer is asked again for so long: it may be replaced, or restarted."""
CLI_WAIT_SECONDS = 30
"""So long a request waits for a task's end; then it asks again."""

# GenPool on one machine ----------------------------------------------------------------------------------------------

LOCAL_LOOK_SECONDS = 0.5
"""How often the supervisor looks whether its programs run."""
LOCAL_RESTART_SECONDS = 1.0
"""First wait before a program that ended is started again; each further wait is twice as long."""
LOCAL_RESTART_MOST_SECONDS = 30.0
"""Longest such wait."""
LOCAL_STEADY_SECONDS = 60.0
"""A program that ran for so long is started again after the first wait."""
LOCAL_STOP_SECONDS = 30.0
"""A program that was told to end is killed after so long, where it has no grace of its own."""
LOCAL_UP_SECONDS = 120.0
"""All programs must serve after so long, or `up` says what does not."""

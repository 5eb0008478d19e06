"""Ports of tests' servers: each process has its own, and none is given to a connection that goes out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from genpool_cli.local.ports import SERVER_PORTS
from support.ports import free_port

_TESTS = Path(__file__).parents[2]
_ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from support.ports import free_port
print(*(free_port() for _ in range(20)), flush=True)
sys.stdin.read()
"""


def test_two_processes_find_no_port_twice() -> None:
    command = [sys.executable, "-c", _ASK, str(_TESTS)]
    first, second = (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    with first, second:
        assert first.stdout is not None
        assert second.stdout is not None
        theirs = [{int(port) for port in of.readline().split()} for of in (first.stdout, second.stdout)]
        mine = {free_port() for _ in range(20)}
    assert [len(ports) for ports in (*theirs, mine)] == [20, 20, 20]
    assert len(theirs[0] | theirs[1] | mine) == 60


def test_the_system_gives_none_to_a_connection_that_goes_out() -> None:
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    assert free_port() < SERVER_PORTS.start
    assert SERVER_PORTS.stop <= min(outgoing, 30_000)

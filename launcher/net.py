"""Ports of this machine: which are free, which answer."""

import socket
import subprocess
import time

from launcher.words import give_up

LOOPBACK = "127.0.0.1"


def is_answering(port: int) -> bool:
    """Say whether something listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.3)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_port(wanted: int | None = None) -> int:
    """Return the wanted port if it is free, else the next free one after it, else any."""
    for port in range(wanted, wanted + 20) if wanted else ():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for(
    port: int, process: "subprocess.Popen[bytes]", name: str, log: object, limit: float = 30
) -> None:
    """Wait until a service answers; end with a sentence when it stopped or stays silent."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if process.poll() is not None:
            give_up(f"{name} stopped at its start: read {log}")
        if is_answering(port):
            return
        time.sleep(0.05)
    give_up(f"{name} did not answer within {limit:.0f} seconds: read {log}")

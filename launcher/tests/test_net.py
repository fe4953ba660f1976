"""Ports: taken ones are passed by, services that stop or stay silent are named."""

import socket
import subprocess
import sys

import pytest

from launcher.net import free_port, is_answering, wait_for
from launcher.words import GiveUpError


@pytest.fixture
def taken() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def test_a_taken_port_is_passed_by(taken: socket.socket) -> None:
    with taken:
        wanted = taken.getsockname()[1]
        found = free_port(wanted)
        assert found != wanted
        assert not is_answering(found)


def test_a_free_port_is_kept() -> None:
    wanted = free_port()
    assert free_port(wanted) == wanted


def test_answering_means_that_something_listens(taken: socket.socket) -> None:
    with taken:
        assert is_answering(taken.getsockname()[1])
    assert not is_answering(free_port())


def test_a_service_that_stops_at_its_start_is_named() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(GiveUpError, match="the database stopped at its start"):
        wait_for(free_port(), process, "the database", "some.log")


def test_a_service_that_stays_silent_is_named() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        with pytest.raises(GiveUpError, match="did not answer within 0 seconds"):
            wait_for(free_port(), process, "Valkey", "some.log", limit=0.1)
    finally:
        process.kill()
        process.wait()

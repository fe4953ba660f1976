"""Runs an exchange as a process: start, say so, wait for a signal, stop."""

import asyncio
import signal
import sys

from django.utils.timezone import now

from brokers.paper.catalogue import Catalogue, load_specs
from brokers.paper.exchange import Exchange
from brokers.paper.options import Options
from brokers.paper.recording import read_recording
from brokers.paper.server import Server
from brokers.paper.store import Store


async def run(options: Options, store: Store) -> None:
    """Serve until SIGTERM or SIGINT; one line on standard output tells when the exchange is ready."""
    catalogue = Catalogue(load_specs(), now().date())
    recording = read_recording(options.replay, catalogue) if options.replay else None
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = Server(Exchange(options, store, clock=now, recording=recording))
    await server.start()
    sys.stdout.write(f"paper exchange ready on {server.base_url}\n")
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await server.stop()

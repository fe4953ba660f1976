"""Finds the files that pages use out of the locked npm packages, and no others of them.

`NODE_ASSETS` maps the name under which a file is served to its place below `node_modules`. A machine without
the packages has no such files; pages then show their tables alone.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage


class PackageFinder(BaseFinder):
    """Serves the allowed files of packages under names of ours."""

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        self._root = Path(settings.NODE_MODULES)
        self._assets: dict[str, str] = dict(settings.NODE_ASSETS)

    def find(self, path: str, find_all: bool = False, **_options: Any) -> Any:
        """Return where a file lies; nothing where it is not ours or not installed."""
        source = self._assets.get(path)
        file = self._root / source if source else None
        found = [str(file)] if file is not None and file.is_file() else []
        if find_all:
            return found
        return found[0] if found else None

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield what is collected for production."""
        for path, source in self._assets.items():
            if (self._root / source).is_file():
                yield path, _Renamed(self._root, source, path)


class _Renamed(FileSystemStorage):
    """A storage that knows one file, under another name."""

    prefix = ""

    def __init__(self, root: Path, source: str, name: str) -> None:
        super().__init__(location=str(root))
        self._source, self._name = source, name

    def path(self, name: str) -> str:
        """Return the file's place."""
        return super().path(self._source if name == self._name else name)

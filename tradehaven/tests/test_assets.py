"""Files of npm packages: served under names of ours, and only those that are listed."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tradehaven.assets import PackageFinder
from tradehaven.checks import check_packages
from tradehaven.templatetags.assets import asset


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.NODE_MODULES = tmp_path
    settings.NODE_ASSETS = {"vendor/chart.js": "chart/dist/chart.min.js"}
    (tmp_path / "chart" / "dist").mkdir(parents=True)
    (tmp_path / "chart" / "dist" / "chart.min.js").write_text("chart()")
    (tmp_path / "chart" / "package.json").write_text("{}")
    return tmp_path


def test_a_listed_file_is_found_under_our_name(folder: Path) -> None:
    finder = PackageFinder()
    assert finder.find("vendor/chart.js") == str(folder / "chart/dist/chart.min.js")
    assert finder.find("vendor/chart.js", find_all=True) == [str(folder / "chart/dist/chart.min.js")]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["chart/package.json", "vendor/../chart/package.json", "vendor/other.js"])
def test_nothing_else_of_the_packages_is_served(name: str) -> None:
    assert PackageFinder().find(name) is None
    assert PackageFinder().find(name, find_all=True) == []


@pytest.mark.usefixtures("folder")
def test_what_is_listed_is_collected_with_its_content() -> None:
    [(name, storage)] = PackageFinder().list([])
    assert name == "vendor/chart.js"
    assert storage.open(name).read() == b"chart()"


def test_without_the_package_there_is_no_address_and_a_word_about_it(folder: Path) -> None:
    (folder / "chart" / "dist" / "chart.min.js").unlink()
    assert asset("vendor/chart.js") == ""
    assert list(PackageFinder().list([])) == []
    [said] = check_packages()
    assert "vendor/chart.js" in said.msg
    assert not said.is_serious()


@pytest.mark.usefixtures("folder")
def test_with_the_package_all_is_well() -> None:
    assert check_packages() == []


def test_a_name_that_is_not_listed_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not in NODE_ASSETS"):
        asset("vendor/unknown.js")


def test_every_listed_package_is_locked() -> None:
    lock = (Path(settings.BASE_DIR) / "package-lock.json").read_text()
    for source in settings.NODE_ASSETS.values():
        assert f'"node_modules/{source.split("/")[0]}"' in lock

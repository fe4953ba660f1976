"""Presses are kept through a crash, shared between processes on one disk, and dropped once rows hold them."""

from pathlib import Path

import msgspec
import pytest

from syncgroups.engine.latches import FLATTEN_FRESH, Latches
from tradehaven.control.messages import Press, encode
from tradehaven.domain.ids import GateId, Nanos, OwnerId, PressId

NOW = 1_795_017_600 * 1_000_000_000
PRESS = Press(press=PressId("ab" * 16), owner=OwnerId(1), gates=(GateId(7),), flatten=True, at=Nanos(NOW))


def latches(folder: Path, now: int = NOW) -> Latches:
    return Latches(folder, lambda: Nanos(now))


def test_a_press_outlives_the_process(tmp_path: Path) -> None:
    before = latches(tmp_path / "presses")
    before.add(PRESS)
    assert before.store(PRESS)
    after = latches(tmp_path / "presses")
    after.load()
    assert after.pending() == (PRESS,)
    (event,) = after.over(OwnerId(1))
    assert (event.press, event.gates, event.flatten, event.at) == (PRESS.press, (7,), True, NOW)
    assert after.over(OwnerId(2)) == []


def test_a_press_is_one_however_often_it_comes(tmp_path: Path) -> None:
    both = latches(tmp_path)
    for _ in range(2):
        both.add(PRESS)
        both.store(PRESS)
    assert both.pending() == (PRESS,)
    assert [path.name for path in tmp_path.iterdir()] == [f"{PRESS.press}.press"]


def test_a_settled_press_is_gone_for_good(tmp_path: Path) -> None:
    found = latches(tmp_path)
    found.add(PRESS)
    found.store(PRESS)
    found.forget([PRESS.press])
    found.forget([PRESS.press])  # another process on this disk was as quick
    assert found.pending() == ()
    again = latches(tmp_path)
    again.load()
    assert again.pending() == ()


@pytest.mark.parametrize(("age", "flattens"), [(0, True), (FLATTEN_FRESH - 1, True), (FLATTEN_FRESH, False)])
def test_a_start_flattens_what_was_under_way_and_nothing_older(
    tmp_path: Path, age: int, flattens: bool
) -> None:
    latches(tmp_path).store(PRESS)
    later = latches(tmp_path, NOW + age)
    later.load()
    assert [event.flatten for event in later.over(OwnerId(1))] == [flattens]


@pytest.mark.parametrize("content", [b"", b"{}", encode(PRESS)[:-9], b"\xff"])
def test_a_file_that_cannot_be_read_is_told_of_and_keeps_no_other_out(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / f"{'00' * 16}.press").write_bytes(content)
    latches(tmp_path).store(PRESS)
    found = latches(tmp_path)
    found.load()
    assert found.pending() == (PRESS,)
    assert "somebody should look" in caplog.text


def test_a_file_under_another_presses_name_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / f"{'00' * 16}.press").write_bytes(encode(PRESS))
    found = latches(tmp_path)
    found.load()
    assert found.pending() == ()


def test_a_disk_that_takes_nothing_is_said_and_the_press_holds(tmp_path: Path) -> None:
    (tmp_path / "presses").write_text("not a folder")
    found = latches(tmp_path / "presses")
    found.add(PRESS)
    assert not found.store(PRESS)
    assert found.pending() == (PRESS,)


def test_what_was_half_written_is_not_read(tmp_path: Path) -> None:
    (tmp_path / f"{PRESS.press}.4711").write_bytes(encode(PRESS)[:20])
    found = latches(tmp_path)
    found.load()
    assert found.pending() == ()


def test_without_a_folder_there_is_nothing_to_know(tmp_path: Path) -> None:
    found = latches(tmp_path / "presses")
    found.load()
    assert found.pending() == ()


def test_a_press_that_differs_only_in_name_is_another(tmp_path: Path) -> None:
    found = latches(tmp_path)
    other = msgspec.structs.replace(PRESS, press=PressId("cd" * 16))
    found.add(PRESS)
    found.add(other)
    assert found.pending() == (PRESS, other)

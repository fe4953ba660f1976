"""The journal keeps whole records through every cut, and says so when it cannot keep one."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncgroups.engine import journal
from syncgroups.engine.journal import Journal, JournalError, Mark, Syncer, forget, read

QUIET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


def _payloads(folder: Path, after: Mark | None = None) -> list[bytes]:
    return [payload for payload, _ in read(folder, after or Mark())]


@QUIET
@given(payloads=st.lists(st.binary(max_size=60), min_size=1, max_size=12))
def test_what_was_written_is_read_and_each_mark_goes_on_from_there(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    written = Journal(folder)
    for number, payload in enumerate(payloads):
        (written.intend if number % 2 else written.note)(payload)
    written.close()
    found = list(read(folder, Mark()))
    assert [payload for payload, _ in found] == payloads
    for number, (_, mark) in enumerate(found, 1):
        assert _payloads(folder, mark) == payloads[number:]


def test_a_cut_at_any_byte_of_the_last_record_keeps_all_before_it(tmp_path: Path) -> None:
    written = Journal(tmp_path)
    for payload in (b"first", b"second", b"the last one"):
        written.intend(payload)
    written.close()
    (file,) = tmp_path.glob("*.log")
    whole = file.read_bytes()
    last = len(journal.frame(b"the last one"))
    for cut in range(1, last + 1):
        file.write_bytes(whole[:-cut])
        assert _payloads(tmp_path) == [b"first", b"second"]


def test_a_damaged_record_ends_the_reading(tmp_path: Path) -> None:
    written = Journal(tmp_path)
    for payload in (b"first", b"second", b"third"):
        written.intend(payload)
    written.close()
    (file,) = tmp_path.glob("*.log")
    damaged = bytearray(file.read_bytes())
    damaged[len(journal.frame(b"first")) + 10] ^= 1
    file.write_bytes(bytes(damaged))
    assert _payloads(tmp_path) == [b"first"]


def test_a_write_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Journal(tmp_path)

    def full(*_: object) -> int:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(JournalError, match="cannot be written"):
        written.intend(b"lost")


def _full(*_: object) -> int:
    raise OSError("no space left on device")


def test_what_waited_behind_a_failed_write_waits_on_and_the_intent_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Journal(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _full)
        written.note(b"happened")
        with pytest.raises(JournalError):
            written.intend(b"never carried out")
        written.note(b"happened too")
        with pytest.raises(JournalError):
            written.flush()
    written.close()
    assert _payloads(tmp_path) == [b"happened", b"happened too"]


def test_whole_records_of_a_short_write_are_not_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Journal(tmp_path)
    real, room = os.write, len(journal.frame(b"one")) + 3
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:room]))
        written.note(b"one")
        written.note(b"two")
        with pytest.raises(JournalError, match="only a part"):
            written.flush()
    written.close()
    assert _payloads(tmp_path) == [b"one", b"two"]


def test_a_file_that_cannot_be_begun_is_begun_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Journal(tmp_path)
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:4]))
        with pytest.raises(JournalError):
            written.intend(b"cut")
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _full)
        with pytest.raises(JournalError, match="cannot be written"):
            written.intend(b"nowhere to go")
    written.intend(b"after")
    written.close()
    assert _payloads(tmp_path) == [b"after"]


def test_a_disk_that_takes_nothing_for_long_costs_the_oldest_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "KEEP", 40)
    written = Journal(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _full)
        for number in range(6):
            written.note(b"payload %d" % number)
            with pytest.raises(JournalError):
                written.flush()
    written.close()
    assert _payloads(tmp_path) == [b"payload 4", b"payload 5"]
    assert written.given_up == 4


def test_a_full_disk_keeps_nobody_from_leaving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = Journal(tmp_path)
    written.note(b"lost")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", _full)
        written.close()
    assert "1 records are lost" in caplog.text


def test_a_short_write_says_so_and_what_follows_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Journal(tmp_path)
    written.intend(b"kept")
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:5]))
        with pytest.raises(JournalError, match="only a part"):
            written.intend(b"cut short")
    written.intend(b"after")
    written.close()
    assert _payloads(tmp_path) == [b"kept", b"after"]


def test_a_long_journal_is_cut_into_files_that_can_be_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_LIMIT", 30)
    written = Journal(tmp_path)
    for number in range(6):
        written.intend(b"payload %d" % number)
    written.close()
    assert len(list(tmp_path.glob("*.log"))) > 2
    found = list(read(tmp_path, Mark()))
    assert len(found) == 6
    forget(tmp_path, found[3][1].segment)
    assert _payloads(tmp_path, found[3][1]) == [b"payload 4", b"payload 5"]


def test_a_new_journal_never_writes_into_an_old_file_nor_before_what_was_recorded(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    Journal(tmp_path).close()
    assert sorted(path.stem for path in tmp_path.glob("*.log")) == ["00000001", "00000002"]
    lost = tmp_path / "new-disk"
    Journal(lost, after="00000007.log").close()
    assert [path.stem for path in lost.glob("*.log")] == ["00000008"]


def test_only_what_has_grown_is_forced_to_disk(tmp_path: Path) -> None:
    syncer = Syncer(tmp_path)
    assert not syncer.step()
    written = Journal(tmp_path)
    written.intend(b"one")
    assert syncer.step()
    assert not syncer.step()
    written.intend(b"two")
    assert syncer.step()
    written.close()

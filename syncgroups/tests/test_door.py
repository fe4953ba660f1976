"""The engine's own door: who has our key is heard at once, anybody else is not, and nothing is said twice."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from syncgroups.engine import door as doors
from syncgroups.engine.door import Door, DoorCannotOpen
from tradehaven.control import direct
from tradehaven.control.messages import Heard, HeardState, Press, encode
from tradehaven.domain.ids import AccountId, GateId, Nanos, OwnerId, PressId

PRESS = Press(
    press=PressId("ab" * 16), owner=OwnerId(1), gates=(GateId(7),), flatten=True, at=Nanos(5), reason="loss"
)
OBEYED = Heard(engine="one", state=HeardState.OBEYED, is_stored=True, flattening=(AccountId(4),))


class Porter:
    """What stands behind a door in these tests: it remembers what it was told."""

    def __init__(self, answer: Heard = OBEYED) -> None:
        self.told: list[Press] = []
        self._answer = answer

    async def take(self, press: Press) -> Heard:
        """Remember a press and answer."""
        self.told.append(press)
        return self._answer


@pytest.fixture
def porter(tmp_path: Path, settings: Any) -> Porter:
    settings.DOORS_DIR, settings.ENGINE_DOORS = tmp_path / "doors", []
    return Porter()


@asynccontextmanager
async def listening(
    folder: Path, take: Callable[[Press], Awaitable[Heard]], address: str = ""
) -> AsyncIterator[Door]:
    door = Door(folder, address)
    door.on_press = take
    await door.open()
    try:
        yield door
    finally:
        await door.close()


async def told() -> tuple[Heard, ...]:
    return await asyncio.to_thread(direct.tell, PRESS)


async def said(path: Path, *lines: bytes) -> bytes:
    """Say lines at a door and return all that it says, without its greeting."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    await reader.readline()
    for line in lines:
        writer.write(line)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


def run(story: Awaitable[None]) -> None:
    async def main() -> None:
        await asyncio.wait_for(story, 20)

    asyncio.run(main())


def test_what_is_said_with_our_key_is_obeyed_and_answered(tmp_path: Path, porter: Porter) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            assert await told() == (OBEYED,)

    run(story())
    assert porter.told == [PRESS]


def test_every_door_is_told(tmp_path: Path, porter: Porter) -> None:
    other = Porter(Heard(engine="two", state=HeardState.KEPT))

    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take), listening(tmp_path / "doors", other.take):
            assert {word.engine for word in await told()} == {"one", "two"}

    run(story())
    assert porter.told == other.told == [PRESS]


def test_a_door_may_be_an_address(tmp_path: Path, porter: Porter, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings.ENGINE_DOORS = [f"tcp://127.0.0.1:{port}"]

    async def story() -> None:
        async with listening(tmp_path, porter.take, f"tcp://127.0.0.1:{port}"):
            assert await told() == (OBEYED,)

    run(story())


def test_without_engines_nobody_is_told(porter: Porter) -> None:
    assert direct.tell(PRESS) == ()


def test_a_socket_that_a_killed_engine_left_is_nobody_and_swept_away(tmp_path: Path, porter: Porter) -> None:
    folder = tmp_path / "doors"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "dead.sock"))

    async def story() -> None:
        assert await told() == ()
        async with listening(folder, porter.take):
            assert await told() == (OBEYED,)
            assert len(list(folder.iterdir())) == 1
        assert not list(folder.iterdir())

    run(story())


def test_a_living_neighbours_socket_is_left_alone(tmp_path: Path, porter: Porter) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            async with listening(tmp_path / "doors", porter.take):
                assert len(await told()) == 2
            assert len(await told()) == 1

    run(story())


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://no-such-host.invalid:7411", "tcp://127.0.0.1:x"]
)
def test_an_address_that_was_set_up_and_says_nothing_is_told_of(
    porter: Porter, settings: Any, address: str
) -> None:
    settings.ENGINE_DOORS = [address]
    (heard,) = direct.tell(PRESS)
    assert heard.state is HeardState.SILENT


def test_a_frozen_engine_costs_its_patience_and_no_more(
    tmp_path: Path, porter: Porter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "PATIENCE", 0.2)
    (tmp_path / "doors").mkdir()
    with socket.socket(socket.AF_UNIX) as frozen:
        frozen.bind(str(tmp_path / "doors" / "frozen.sock"))
        frozen.listen(1)  # the kernel lets visitors in, and nobody speaks

        heard = direct.tell(PRESS)
    assert [word.state for word in heard] == [HeardState.SILENT]


# -- strangers -----------------------------------------------------------------------------------------


def _server(answer: Callable[[bytes], bytes]) -> Callable[[Any, Any], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(direct.HELLO + b" " + b"0" * 64 + b"\n")
        writer.write(answer(await reader.readline()))
        writer.close()

    return serve


@pytest.mark.parametrize(
    "answer",
    [
        lambda line: b"",
        lambda line: b"ok\n",
        lambda line: line,  # said back
        lambda line: b"0" * 64 + b" " + encode(OBEYED) + b"\n",
        lambda line: direct.signed(b"answer", b"0" * 64, encode(OBEYED)),  # for no question
        lambda line: direct.signed(b"answer", b"0" * 64 + b" " + line[:64], b"{}"),
        lambda line: b"x" * (direct.LONGEST + 1),
    ],
)
def test_nobody_answers_for_an_engine(
    tmp_path: Path, porter: Porter, answer: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "doors").mkdir()

    async def story() -> None:
        path = tmp_path / "doors" / "false.sock"
        async with await asyncio.start_unix_server(_server(answer), str(path)):
            assert [word.state for word in await told()] == [HeardState.SILENT]

    run(story())


def test_a_stranger_behind_the_address_is_not_spoken_to(tmp_path: Path, porter: Porter) -> None:
    heard: list[bytes] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\n")
        heard.append(await reader.read())
        writer.close()

    async def story() -> None:
        (tmp_path / "doors").mkdir()
        async with await asyncio.start_unix_server(greet, str(tmp_path / "doors" / "mail.sock")):
            assert [word.state for word in await told()] == [HeardState.SILENT]

    run(story())
    assert heard == [b""]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"hello\n",
        b"GET / HTTP/1.1\r\n",
        b"\xff\xfe\x00\n",
        b"0" * 64 + b" " + encode(PRESS) + b"\n",
        b"x" * (2 * direct.LONGEST) + b"\n",
        encode(PRESS) + b"\n",
    ],
)
def test_who_cannot_sign_is_not_heard(tmp_path: Path, porter: Porter, line: bytes) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            assert await said(path, line) == b""
            assert await told() == (OBEYED,)  # and the next one is

    run(story())
    assert porter.told == [PRESS]


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"null",
        b"[" * 20_000,
        encode(PRESS).replace(b"ab" * 16, b"../../../../etc/passwd/..........."[:32]),
        encode(PRESS).replace(b"ab" * 16, b"AB" * 16),
        encode(PRESS).replace(b"[7]", b"[]"),
        encode(PRESS).replace(b'"reason"', b'"reasons"'),
        encode(PRESS).replace(b'"owner":1', b'"owner":"1"'),
    ],
)
def test_what_is_signed_and_no_press_changes_nothing(tmp_path: Path, porter: Porter, payload: bytes) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            reader, writer = await asyncio.open_unix_connection(str(path))
            nonce = (await reader.readline()).split()[1]
            writer.write(direct.signed(b"ask", nonce, payload))
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()

    run(story())
    assert not porter.told


def test_what_was_overheard_cannot_be_said_again(tmp_path: Path, porter: Porter) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            reader, writer = await asyncio.open_unix_connection(str(path))
            nonce = (await reader.readline()).split()[1]
            line = direct.signed(b"ask", nonce, encode(PRESS))
            writer.write(line)
            assert await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert await said(path, line) == b""

    run(story())
    assert porter.told == [PRESS]


def test_another_installations_key_is_not_ours(tmp_path: Path, porter: Porter, settings: Any) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            reader, writer = await asyncio.open_unix_connection(str(path))
            nonce = (await reader.readline()).split()[1]
            ours, settings.SECRET_KEY = settings.SECRET_KEY, "another key, as long as it has to be " * 2
            line = direct.signed(b"ask", nonce, encode(PRESS))
            settings.SECRET_KEY = ours
            writer.write(line)
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()

    run(story())
    assert not porter.told


def test_a_visitor_who_says_nothing_is_shown_out(
    tmp_path: Path, porter: Porter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PATIENCE", 0.1)

    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            reader, writer = await asyncio.open_unix_connection(str(path))
            await reader.readline()
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()

    run(story())


def test_a_crowd_is_kept_out_and_does_not_stay(
    tmp_path: Path, porter: Porter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "MOST_VISITORS", 2)
    monkeypatch.setattr(doors, "PATIENCE", 0.3)

    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            crowd = [await asyncio.open_unix_connection(str(path)) for _ in range(2)]
            assert await crowd[0][0].readline()
            assert await crowd[1][0].readline()
            assert [word.state for word in await told()] == [HeardState.SILENT]
            await asyncio.sleep(0.5)
            assert await told() == (OBEYED,)
            for _, writer in crowd:
                writer.close()

    run(story())


def test_a_press_that_fails_is_not_acknowledged_and_the_next_is_heard(tmp_path: Path, porter: Porter) -> None:
    async def fail(press: Press) -> Heard:
        if not porter.told:
            await porter.take(press)
            raise RuntimeError("broken on purpose")
        return await porter.take(press)

    async def story() -> None:
        async with listening(tmp_path / "doors", fail):
            assert [word.state for word in await told()] == [HeardState.SILENT]
            assert await told() == (OBEYED,)

    run(story())


# -- where it cannot be --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["7411", "http://127.0.0.1:7411", "tcp://127.0.0.1", "tcp://192.0.2.1:1"])
def test_an_address_that_cannot_be_stops_the_start(tmp_path: Path, porter: Porter, address: str) -> None:
    with pytest.raises(DoorCannotOpen):
        run(Door(tmp_path, address).open())


def test_a_folder_with_too_long_a_name_stops_the_start(tmp_path: Path, porter: Porter) -> None:
    with pytest.raises(DoorCannotOpen, match="shorter DATA_DIR"):
        run(Door(tmp_path / ("x" * 100)).open())


def test_a_door_is_its_owners_alone(tmp_path: Path, porter: Porter) -> None:
    async def story() -> None:
        async with listening(tmp_path / "doors", porter.take):
            (path,) = (tmp_path / "doors").glob("*.sock")
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700

    run(story())

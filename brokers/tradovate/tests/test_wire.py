"""Frames of every kind parse; whatever else comes in, nothing but `ProtocolError` comes out."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.tradovate import wire
from brokers.tradovate.tests.frames import SAMPLES
from tradehaven.domain.errors import ProtocolError


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_recorded_frame_parses_to_what_it_says(name: str) -> None:
    raw = SAMPLES[name]
    frame = wire.parse(memoryview(raw))
    if raw[:1] == b"a":
        assert isinstance(frame, list)
        for message, said in zip(frame, json.loads(raw[1:]), strict=True):
            assert (message.s, message.i, message.e) == (said.get("s"), said.get("i"), said.get("e"))
            assert message.body == b"" or json.loads(message.body) == said["d"]
    else:
        assert type(frame) in (wire.Opened, wire.Beat, wire.Closed)


def test_the_three_short_frames_are_told_apart() -> None:
    assert isinstance(wire.parse(b"o"), wire.Opened)
    assert isinstance(wire.parse(b"h"), wire.Beat)
    assert wire.parse(b'c[3000,"Go away!"]') == wire.Closed(code=3000, reason="Go away!")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        b"oo",
        b"h ",
        b"a",
        b"a{}",
        b"a[1]",
        b'a[{"s":"200"}]',
        b'a[{"i":1e400}]',
        b"c[]",
        b'c["x",1]',
        b'a[{"d":' + b"[" * 5000,
        b'a["\xff"]',
        b'a[{"s":NaN}]',
    ],
)
def test_a_frame_that_makes_no_sense_raises_its_own_error(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.parse(raw)


@given(raw=st.binary(max_size=200))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    _parse(raw)


@given(raw=st.sampled_from(sorted(SAMPLES.values())), data=st.data())
def test_no_mutation_of_a_real_frame_raises_anything_else(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw)))
    cut = data.draw(st.integers(0, 20))
    _parse(raw[:at] + data.draw(st.binary(max_size=8)) + raw[at + cut :])


def _parse(raw: bytes) -> None:
    try:
        wire.parse(raw)
    except ProtocolError:
        return


def test_a_request_has_four_lines() -> None:
    assert wire.request("order/cancelorder", 7, b'{"a":1}') == b'order/cancelorder\n7\n\n{"a":1}'
    assert wire.request("contract/item", 8, query="id=3") == b"contract/item\n8\nid=3\n"


def test_a_heartbeat_is_due_every_two_and_a_half_seconds_whatever_comes_in() -> None:
    pulse = wire.Pulse(100.0)
    assert not pulse.is_due(102.4)
    pulse.heard(102.4)
    assert pulse.is_due(102.5)
    assert not pulse.is_due(104.9)
    assert pulse.is_due(105.0)


def test_five_seconds_of_silence_are_the_end() -> None:
    pulse = wire.Pulse(100.0)
    assert not pulse.is_dead(105.0)
    assert pulse.is_dead(105.1)
    pulse.heard(105.1)
    assert not pulse.is_dead(110.0)

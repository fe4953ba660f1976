"""The environment is read typed, and what is wrong with it is said in one sentence."""

import base64
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from tradehaven.settings import env

KEY = base64.b64encode(b"0" * 32).decode()
OTHER = base64.b64encode(b"1" * 32).decode()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("THING", "THING_FILE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_text_comes_from_the_environment_or_its_default(given: pytest.MonkeyPatch) -> None:
    assert env.text("THING", "usual") == "usual"
    given.setenv("THING", "mine")
    assert env.text("THING", "usual") == "mine"


def test_an_absent_text_names_the_remedy(given: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"THING is not set.*docs/processes\.md"):
        env.text("THING")


def test_a_text_may_come_from_a_file(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    given.setenv("THING_FILE", str(tmp_path / "secret"))
    given.setenv("THING", "from the environment")
    assert env.text("THING") == "from the file"


def test_a_file_that_is_not_there_is_named(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given.setenv("THING_FILE", str(tmp_path / "gone"))
    with pytest.raises(ImproperlyConfigured, match=r"THING_FILE names .*gone, which cannot be read"):
        env.text("THING")


@pytest.mark.parametrize(
    ("word", "meant"), [("yes", True), ("1", True), ("ON", True), ("no", False), ("", False)]
)
def test_a_flag_is_yes_or_no(given: pytest.MonkeyPatch, word: str, meant: bool) -> None:
    given.setenv("THING", word)
    assert env.flag("THING", default=not meant) is meant


def test_another_word_is_no_flag(given: pytest.MonkeyPatch) -> None:
    given.setenv("THING", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="THING must be yes or no, not 'perhaps'"):
        env.flag("THING", default=True)


def test_a_number_is_whole(given: pytest.MonkeyPatch) -> None:
    assert env.number("THING", 7) == 7
    given.setenv("THING", "7.5")
    with pytest.raises(ImproperlyConfigured, match=r"THING must be a whole number, not '7\.5'"):
        env.number("THING", 7)


def test_one_of_a_few_words_is_taken_in_any_case(given: pytest.MonkeyPatch) -> None:
    given.setenv("THING", "debug")
    assert env.one_of("THING", "INFO", ("DEBUG", "INFO")) == "DEBUG"
    given.setenv("THING", "loud")
    with pytest.raises(ImproperlyConfigured, match="THING must be one of DEBUG, INFO, not 'LOUD'"):
        env.one_of("THING", "INFO", ("DEBUG", "INFO"))


def test_words_are_separated_by_commas(given: pytest.MonkeyPatch) -> None:
    given.setenv("THING", " a, b ,,c")
    assert env.words("THING") == ["a", "b", "c"]


def test_a_database_is_postgresql(given: pytest.MonkeyPatch) -> None:
    given.setenv("THING", "postgres://user:p%40ss@db.example:5433/name?sslmode=require")
    database = env.database("THING")
    assert database["PASSWORD"] == "p@ss"
    assert database["PORT"] == 5433
    assert database["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize("url", ["sqlite:///db.sqlite3", "mysql://user@db/name", "name"])
def test_no_other_database_is_taken(given: pytest.MonkeyPatch, url: str) -> None:
    given.setenv("THING", url)
    with pytest.raises(ImproperlyConfigured, match="THING must be a postgres:// address"):
        env.database("THING")


def test_the_first_key_of_the_ring_seals(given: pytest.MonkeyPatch) -> None:
    given.setenv("THING", f"k2:{OTHER}, k1:{KEY}")
    assert list(env.data_keys("THING").items()) == [("k2", b"1" * 32), ("k1", b"0" * 32)]


@pytest.mark.parametrize(
    ("ring", "sentence"),
    [
        ("", "THING is empty"),
        (" , ", "THING is empty"),
        (f"k1:{KEY},k1:{OTHER}", "has the id 'k1' twice"),
        ("k1:c2hvcnQ=", "id:base64 of 32 random bytes"),
        ("k1:no base64!", "id:base64 of 32 random bytes"),
        (KEY, "id:base64 of 32 random bytes"),
        (f"k.1:{KEY}", "id:base64 of 32 random bytes"),
        (f":{KEY}", "id:base64 of 32 random bytes"),
    ],
)
def test_a_key_ring_that_cannot_seal_is_refused(given: pytest.MonkeyPatch, ring: str, sentence: str) -> None:
    given.setenv("THING", ring)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        env.data_keys("THING")


def test_a_wrong_key_is_not_repeated_in_the_error(given: pytest.MonkeyPatch) -> None:
    given.setenv("THING", "k1:c2VjcmV0LWJ1dC1zaG9ydA==")
    with pytest.raises(ImproperlyConfigured) as raised:
        env.data_keys("THING")
    assert "c2VjcmV0" not in str(raised.value)

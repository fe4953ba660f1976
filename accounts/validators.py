"""The password rules that the product promises (ACC-01), for validators and for the page about them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MIN_LENGTH = 12
_PLAIN = str.maketrans("013457@$!", "oieastasi")
_FILLING = 8
"""So many digits and signs around a word that everybody uses still count as that word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as the page shows it: `met` is None while nothing was typed."""

    text: str
    met: bool | None


_CLASSES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("an upper-case letter", lambda password: any(c.isupper() for c in password)),
    ("a lower-case letter", lambda password: any(c.islower() for c in password)),
    ("a digit", lambda password: any(c.isdigit() for c in password)),
    ("a special character", lambda password: any(not c.isalnum() for c in password)),
)


def rules(password: str) -> list[Rule]:
    """Return every rule and whether a password that is being typed keeps it."""
    found = [
        (f"At least {MIN_LENGTH} characters", len(password) >= MIN_LENGTH),
        *((text[0].upper() + text[1:], met(password)) for text, met in _CLASSES),
        ("Not a password that many people use", not is_common(password)),
    ]
    return [Rule(text=_(text), met=met if password else None) for text, met in found]


def is_common(password: str) -> bool:
    """Say whether a password is one that everybody tries first, also behind digits, signs and 3 for e."""
    common = _common()
    lowered = password.lower().strip()
    if lowered in common:
        return True
    # The dressing is taken off before the letters are read back, so that the ! of "password!" is not an i.
    word = lowered.strip("0123456789!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ")
    bare = word.translate(_PLAIN)
    return len(lowered) - len(word) <= _FILLING and bool({word, bare} & common)


@cache
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


class CharacterClassValidator:
    """Asks for an upper-case and a lower-case letter, a digit and a special character."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` naming what is missing."""
        missing = [_(name) for name, met in _CLASSES if not met(password)]
        if missing:
            raise ValidationError(
                _("The password lacks %(missing)s."),
                code="password_classes",
                params={"missing": ", ".join(missing)},
            )

    def get_help_text(self) -> str:
        """Return the rule as the page shows it."""
        return _("At least one upper-case and one lower-case letter, one digit and one special character.")


class CommonWordValidator:
    """Refuses a much used password in disguise; the list comes with Django and needs no network."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` for a disguised common password."""
        if is_common(password):
            raise ValidationError(
                _("This is a password that many people use, with a little added. Take words of your own."),
                code="password_common_word",
            )

    def get_help_text(self) -> str:
        """Return the rule as the page shows it."""
        return _("Not a password that many people use, nor one with digits or signs added.")

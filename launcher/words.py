"""How the launcher speaks: one line for what it does, one sentence with its remedy for what it cannot."""

import sys
from typing import NoReturn


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class GiveUpError(SystemExit):
    """The launcher cannot go on; the text names the remedy."""


def give_up(text: str) -> NoReturn:
    """End with a sentence."""
    raise GiveUpError(f"tradehaven: {text}")

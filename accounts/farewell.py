"""What other apps do at once when a person asks for the end of the account: they register it here.

Rows need nothing: they go by cascade when the time has come.
"""

from collections.abc import Callable

from accounts.models import User

Stop = Callable[[User], None]
_registered: list[Stop] = []


def register(stop: Stop) -> Stop:
    """Have `stop` called, in the asking's transaction, when a person asks to be deleted; also a decorator."""
    if stop not in _registered:
        _registered.append(stop)
    return stop


def stop_all(user: User) -> None:
    """Stop everything that acts for a person who leaves."""
    for stop in _registered:
        stop(user)

"""How a page answers a change: htmx gets a toast and no content, a plain browser a redirect."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.http import UserRequest
from syncgroups.selectors import mixes
from tradehaven.control.messages import Heard, HeardState

if TYPE_CHECKING:
    from syncgroups.models import SyncGroup


def done(request: UserRequest, text: str, to: str, *args: object, warn: bool = False) -> HttpResponse:
    """Say what was done and go to the page where it shows."""
    if request.htmx:
        said = {"toast": {"text": text, "level": "warning" if warn else "success"}, "changed": {}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(said)})
    (messages.warning if warn else messages.success)(request, text)
    return redirect(to, *args)


def said_of(heard: "Sequence[Heard]") -> str:
    """Return what the engines' own words on a press add: what was on its way, or that none has confirmed."""
    if any(word.state is HeardState.OBEYED for word in heard):
        flying = sum(len(word.in_flight) for word in heard)
        orders = "1 order" if flying == 1 else f"{flying} orders"
        return " The engine has stopped." + (
            f" {orders} had left before and may still trade." if flying else ""
        )
    return " No engine has confirmed yet: each finds it within a second, or before it leads." if heard else ""


def warn_of_mixing(request: UserRequest, group: "SyncGroup") -> None:
    """Say so at saving where real money and play money would be copied to each other (CONN-08)."""
    if mixes(group):
        text = f"{group} mixes live money with demo or paper accounts. Make sure that is what you want."
        messages.warning(request, text)

"""Groups: list, detail, on and off, dissolve. How one is made and changed stands in `builder`."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import require_fresh_factor
from accounts.http import UserRequest
from risk.selectors import owner_gate
from syncgroups import selectors
from syncgroups.selectors import drift
from syncgroups.selectors.board import board
from syncgroups.selectors.live_money import group_is_live
from syncgroups.services import groups as service
from syncgroups.views.answers import done


@login_required
@require_GET
def group_list(request: UserRequest) -> HttpResponse:
    return render(request, "syncgroups/list.html", {"board": board(request.user, timezone.now())})


@login_required
@require_GET
def detail(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    row = selectors.group_rows([group], owner_gate(request.user), timezone.now())[0]
    page = {
        "row": row,
        "latency": selectors.latency_of(group),
        "copies": selectors.copies_of(group),
        "drifts": drift.open_drifts(group),
        "quarantines": drift.quarantines_of(group),
        "missed": drift.missed_of(group, timezone.now()),
    }
    partial = request.htmx and not request.htmx.boosted
    return render(request, "syncgroups/_state.html" if partial else "syncgroups/detail.html", page)


@login_required
@require_POST
def switch(request: UserRequest, public_id: str, on: bool) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    if on and group_is_live(group):
        require_fresh_factor(request)
    (service.activate if on else service.deactivate)(group)
    return done(request, f"{group} is {'on' if on else 'off'}.", "syncgroups:detail", public_id)


@login_required
@require_POST
def dissolve(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    service.dissolve(group)
    return done(request, f"{group.name} is dissolved; its positions stay open.", "syncgroups:list")

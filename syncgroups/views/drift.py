"""Differences and missed orders: repair, ignore, quarantine, release, replay (COPY-09, COPY-12)."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from accounts.http import UserRequest
from syncgroups.selectors import drift as selectors
from syncgroups.services import drift as service
from syncgroups.views.answers import done


@login_required
@require_POST
def repair(request: UserRequest, pk: int) -> HttpResponse:
    found = selectors.drift_for(request.user, pk)
    service.ask_repair(found, by=request.user)
    return done(request, f"The engine was asked: {found.remedy}.", "analytics:live")


@login_required
@require_POST
def ignore(request: UserRequest, pk: int) -> HttpResponse:
    found = selectors.drift_for(request.user, pk)
    service.ignore(found, by=request.user)
    return done(request, f"{found.account} {found.symbol}: left as it is.", "analytics:live")


@login_required
@require_POST
def quarantine(request: UserRequest, pk: int) -> HttpResponse:
    found = selectors.drift_for(request.user, pk)
    if found.group is None:
        raise Http404
    service.quarantine(found.group, account=found.account, symbol=found.symbol, by=request.user)
    text = f"{found.account} does not enter {found.symbol} any more; exits pass."
    return done(request, text, "syncgroups:detail", found.group.public_id)


@login_required
@require_POST
def release(request: UserRequest, pk: int) -> HttpResponse:
    row = selectors.quarantine_for(request.user, pk)
    service.release(row, by=request.user)
    text = f"{row.account} may enter {row.symbol} again."
    return done(request, text, "syncgroups:detail", row.group.public_id)


@login_required
@require_POST
def replay(request: UserRequest, key: str) -> HttpResponse:
    line = selectors.missed_for(request.user, key)
    if line.group is None or line.account is None:
        raise Http404
    service.ask_replay(line.group, key=key, account=line.account, by=request.user)
    text = f"The engine was asked to place the missed order for {line.account}."
    return done(request, text, "syncgroups:detail", line.group.public_id)

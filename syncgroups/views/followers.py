"""Followers of a group: add, size, remove."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.http import UserRequest
from brokers.selectors import account_for
from syncgroups import selectors
from syncgroups.forms import FollowerForm, SizingForm
from syncgroups.services import gates
from syncgroups.services import groups as service
from syncgroups.views.answers import done


@login_required
@require_POST
def add(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    form = FollowerForm(request.POST, user=request.user, group=group)
    if not form.is_valid():
        return _refuse(request, form, public_id)
    account = form.cleaned_data["account"]
    service.set_follower(group, account=account, settings=form.settings())
    return done(request, f"{account} follows {group}.", "syncgroups:detail", public_id)


@login_required
@require_POST
def size(request: UserRequest, public_id: str, account_id: int) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    account = account_for(request.user, account_id)
    form = SizingForm(request.POST, prefix=str(account.pk))
    if not form.is_valid():
        return _refuse(request, form, public_id)
    service.set_follower(group, account=account, settings=form.settings())
    gates.set_max_position(account=account, qty=form.cleaned_data["max_position"], by=request.user)
    return done(request, f"Sizing of {account} saved.", "syncgroups:detail", public_id)


@login_required
@require_POST
def remove(request: UserRequest, public_id: str, account_id: int) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    account = account_for(request.user, account_id)
    service.remove_follower(group, account=account)
    return done(request, f"{account} left {group}; its positions stay open.", "syncgroups:detail", public_id)


def _refuse(request: UserRequest, form: SizingForm, public_id: str) -> HttpResponse:
    for name, errors in form.errors.items():
        label = form.fields[name].label or name if name in form.fields else ""
        messages.error(request, f"{label}: {' '.join(map(str, errors))}")
    return redirect("syncgroups:detail", public_id)

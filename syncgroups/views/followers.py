"""Followers of a group: add, size, remove, and what they do differently for single products."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.http import UserRequest
from brokers.selectors import account_for
from syncgroups import selectors
from syncgroups.forms import FollowerForm, ProductForm, SizingForm
from syncgroups.services import gates, products
from syncgroups.services import groups as service
from syncgroups.views.answers import done, warn_of_mixing


@login_required
@require_POST
def add(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    form = FollowerForm(request.POST, user=request.user, group=group)
    if not form.is_valid():
        return _refuse(request, form, public_id)
    account = form.cleaned_data["account"]
    service.set_follower(group, account=account, settings=form.settings())
    warn_of_mixing(request, group)
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


@login_required
@require_POST
def set_product(request: UserRequest, public_id: str, account_id: int) -> HttpResponse:
    follower = selectors.follower_for(request.user, public_id, account_id)
    form = ProductForm(request.POST)
    if not form.is_valid():
        return _refuse(request, form, public_id)
    rule = products.set_product(follower, settings=form.settings())
    text = f"{rule.product} is set for {follower.account}."
    return done(request, text, "syncgroups:detail", public_id)


@login_required
@require_POST
def remove_product(request: UserRequest, public_id: str, account_id: int, root: str) -> HttpResponse:
    follower = selectors.follower_for(request.user, public_id, account_id)
    products.remove_product(follower, root=root)
    text = f"{follower.account} answers {root} like every other product."
    return done(request, text, "syncgroups:detail", public_id)


def _refuse(request: UserRequest, form: Form, public_id: str) -> HttpResponse:
    for name, errors in form.errors.items():
        label = form.fields[name].label or name if name in form.fields else ""
        messages.error(request, f"{label}: {' '.join(map(str, errors))}")
    return redirect("syncgroups:detail", public_id)

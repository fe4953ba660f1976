"""Groups: list, create, detail, edit, on and off, dissolve."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import require_fresh_factor
from accounts.http import UserRequest
from risk.selectors import owner_gate
from syncgroups import selectors
from syncgroups.engine.preview import preview_of
from syncgroups.forms import FollowerForm, GroupForm, PreviewForm, ProductForm, SizingForm, put_error
from syncgroups.selectors import drift
from syncgroups.selectors.live_money import group_is_live
from syncgroups.services import groups as service
from syncgroups.views.answers import done, warn_of_mixing
from tradehaven.domain.enums import Side
from tradehaven.domain.errors import InvalidInput


@login_required
@require_GET
def group_list(request: UserRequest) -> HttpResponse:
    rows = selectors.group_rows(selectors.groups_of(request.user), owner_gate(request.user), timezone.now())
    return render(request, "syncgroups/list.html", {"rows": rows})


@login_required
@require_http_methods(["GET", "POST"])
def create(request: UserRequest) -> HttpResponse:
    form = GroupForm(request.POST or None, user=request.user)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            group = service.create_group(
                request.user, leader=typed["leader"], settings=form.settings(), followers=typed["followers"]
            )
            warn_of_mixing(request, group)
            return redirect("syncgroups:detail", group.public_id)
        except InvalidInput as error:
            put_error(form, error)
    return render(request, "syncgroups/form.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    initial = GroupForm.initial_of(group)
    form = GroupForm(request.POST or None, initial=initial, user=request.user, group=group)
    if form.is_valid():
        try:
            service.revise_group(group, leader=form.cleaned_data["leader"], settings=form.settings())
            warn_of_mixing(request, group)
            return redirect("syncgroups:detail", public_id)
        except InvalidInput as error:
            put_error(form, error)
    page = {"form": form, "group": group}
    return render(request, "syncgroups/form.html", page, status=422 if form.errors else 200)


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
        "sizing_forms": [
            (member, SizingForm.of(member.follower), selectors.loses_single_contracts(group, member.follower))
            for member in row.followers
            if member.follower
        ],
        "add_form": FollowerForm(user=request.user, group=group),
        "product_form": ProductForm(auto_id=False),
        "preview_form": PreviewForm(),
    }
    partial = request.htmx and not request.htmx.boosted
    return render(request, "syncgroups/_state.html" if partial else "syncgroups/detail.html", page)


@login_required
@require_GET
def foretell(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    form = PreviewForm(request.GET)
    page: dict[str, object] = {"group": group, "form": form}
    if form.is_valid():
        typed = form.cleaned_data
        try:
            page["preview"] = preview_of(
                group,
                symbol=typed["symbol"],
                side=Side(typed["side"]),
                qty=typed["qty"],
                now=timezone.now(),
            )
        except InvalidInput as error:
            put_error(form, error)
    return render(request, "syncgroups/_preview.html", page, status=422 if form.errors else 200)


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

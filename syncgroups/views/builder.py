"""The builder of groups: a new one, an old one, and what an order would become before anything is saved."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import UserRequest
from syncgroups import selectors
from syncgroups.engine.preview import NamedPreview, preview_of_draft
from syncgroups.forms.builder import BuilderForm
from syncgroups.services.builder import save_draft
from syncgroups.views.answers import warn_of_mixing
from tradehaven.domain.errors import InvalidInput


@login_required
@require_http_methods(["GET", "POST"])
def create(request: UserRequest) -> HttpResponse:
    leader = request.GET.get("leader", "")
    known = int(leader) if leader.isascii() and leader.isdigit() and len(leader) < 19 else 0
    form = BuilderForm(request.POST if request.method == "POST" else None, user=request.user, leader=known)
    return _saved(request, form) or _shown(request, form)


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: UserRequest, public_id: str) -> HttpResponse:
    group = selectors.group_for(request.user, public_id)
    form = BuilderForm(request.POST if request.method == "POST" else None, user=request.user, group=group)
    return _saved(request, form) or _shown(request, form)


@login_required
@require_POST
def foretell(request: UserRequest) -> HttpResponse:
    name = request.POST.get("group", "")
    group = selectors.group_for(request.user, name) if name else None
    typed = request.POST.copy()
    typed["name"] = typed.get("name", "").strip() or "New group"  # it copies the same whatever it is called
    form = BuilderForm(typed, user=request.user, group=group)
    found = _preview(request, form) if form.is_valid() and form.imagined.is_valid() else None
    return render(request, "syncgroups/_preview.html", {"form": form, "preview": found})


def _preview(request: UserRequest, form: BuilderForm) -> NamedPreview | None:
    try:
        order, now = form.imagined.order(), timezone.now()
        return preview_of_draft(request.user, form.draft(), form.group, order, now)
    except InvalidInput as error:
        form.put(error)
    return None


def _saved(request: UserRequest, form: BuilderForm) -> HttpResponse | None:
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        group = save_draft(request.user, form.draft(), form.group)
    except InvalidInput as error:
        form.put(error)
        return None
    warn_of_mixing(request, group)
    return redirect("syncgroups:detail", group.public_id)


def _shown(request: UserRequest, form: BuilderForm) -> HttpResponse:
    page = {"form": form, "group": form.group}
    return render(request, "syncgroups/builder.html", page, status=422 if request.method == "POST" else 200)

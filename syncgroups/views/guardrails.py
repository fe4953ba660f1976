"""The pages of guardrails: all accounts by their limits, and the rules of one, of a group, of everything."""

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import UserRequest
from brokers.selectors import account_for
from risk.core.changes import differences
from risk.core.presets import Preset, applied, presets
from risk.forms import LockForm, PresetForm, RulesForm
from risk.selectors import rules_wished
from risk.services.gates import ensure_account_risk
from risk.services.rules import ensure_owner_book
from syncgroups import selectors
from syncgroups.selectors import guardrails as shown
from syncgroups.services import guardrails
from tradehaven.domain.errors import InvalidInput

if TYPE_CHECKING:
    from risk.models import RuleBook


@login_required
@require_GET
def overview(request: UserRequest) -> HttpResponse:
    return render(request, "risk/overview.html", {"rows": shown.risk_rows(request.user)})


@login_required
@require_http_methods(["GET", "POST"])
def account(request: UserRequest, pk: int) -> HttpResponse:
    found = account_for(request.user, pk)
    book = ensure_account_risk(found, request.user.pk).book
    row = shown.risk_row(request.user, found)
    page = {
        "row": row,
        "left": shown.left_in(row),
        "lock_form": LockForm(),
        "verdicts": shown.verdicts_on(request.user, found),
        "changes": book.changes.order_by("-pk")[:10],
    }
    return _rules(request, book, "risk/account.html", page)


@login_required
@require_http_methods(["GET", "POST"])
def group(request: UserRequest, public_id: str, span: str) -> HttpResponse:
    found = selectors.group_for(request.user, public_id)
    members, total = guardrails.ensure_group_books(found)
    page = {"group": found, "span": span}
    return _rules(request, members if span == "followers" else total, "risk/rules.html", page)


@login_required
@require_http_methods(["GET", "POST"])
def everything(request: UserRequest) -> HttpResponse:
    return _rules(request, ensure_owner_book(request.user.pk), "risk/rules.html", {"span": "everything"})


@login_required
@require_POST
def lock(request: UserRequest, pk: int) -> HttpResponse:
    found = account_for(request.user, pk)
    form = LockForm(request.POST)
    try:
        if form.is_valid():
            until, reason = form.cleaned_data["until"], form.cleaned_data["reason"]
            guardrails.lock(account=found, by=request.user, until=until, reason=reason)
            messages.warning(request, f"{found} takes no entries until {until:%b %-d, %H:%M %Z}.")
        else:
            messages.error(request, "Say until when the account is locked, as a date and a time.")
    except InvalidInput as error:
        messages.error(request, error.message)
    return redirect("syncgroups:risk-account", pk)


def _rules(request: UserRequest, book: "RuleBook", template: str, page: dict[str, object]) -> HttpResponse:
    """Show rules to be changed, from a firm's rule set where one is chosen; save them when they are sent."""
    before = rules_wished(book)
    preset = presets().get(request.POST.get("preset") or request.GET.get("preset", ""))
    start = applied(preset, before) if preset is not None else before
    form = RulesForm(request.POST if request.method == "POST" else None, rules=start)
    if request.method == "POST" and form.is_valid():
        return _saved(request, book, form, preset)
    page |= {
        "form": form,
        "book": book,
        "preset": preset,
        "preset_form": PresetForm(chosen=preset.name if preset is not None else book.preset),
        "differences": differences(before, start) if preset is not None else (),
    }
    return render(request, template, page, status=422 if form.errors else 200)


def _saved(request: UserRequest, book: "RuleBook", form: RulesForm, preset: Preset | None) -> HttpResponse:
    changed = guardrails.change(book=book, wished=form.rules, by=request.user, preset=preset)
    if changed is None:
        messages.info(request, "These rules are in force already.")
    elif changed.later_at is not None:
        when = f"{changed.later_at:%b %-d, %H:%M} UTC"
        messages.warning(request, f"Saved. What is stricter holds now, what is looser from {when} on.")
    else:
        messages.success(request, "Saved. The rules hold now.")
    return redirect(request.path)

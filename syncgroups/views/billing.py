"""Settings > Billing: the plan, what of it is used, and how it changes, ends and comes back (ACC-07)."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.access import is_verified
from accounts.billing import services
from accounts.billing.selectors import portal_of
from accounts.core.plans import Plan
from accounts.http import UserRequest
from brokers.selectors import accounts_in_use
from syncgroups.selectors.plans import billing_page
from syncgroups.views.answers import done


@login_required
@require_GET
def page(request: UserRequest) -> HttpResponse:
    shown = {
        "billing": billing_page(request.user, timezone.now()),
        "verified": is_verified(request.user),
        "paid": request.GET.get("paid") == "yes",
    }
    return render(request, "accounts/billing.html", shown)


@login_required
@require_POST
def choose(request: UserRequest, plan: str) -> HttpResponse:
    if plan not in set(Plan):
        return render(request, "404.html", status=404)
    used = accounts_in_use(request.user.pk)
    url = services.choose_plan(request.user, Plan(plan), used=used, now=timezone.now())
    if url:
        return redirect(url)
    return done(request, f"You are on {Plan(plan).capitalize()}.", "syncgroups:billing")


@login_required
@require_POST
def cancel(request: UserRequest) -> HttpResponse:
    services.cancel_plan(request.user, now=timezone.now())
    return done(request, "Your plan ends with its period.", "syncgroups:billing", warn=True)


@login_required
@require_POST
def resume(request: UserRequest) -> HttpResponse:
    services.resume_plan(request.user, now=timezone.now())
    return done(request, "Your plan goes on.", "syncgroups:billing")


@login_required
@require_POST
def portal(request: UserRequest) -> HttpResponse:
    return redirect(portal_of(request.user.pk) or "syncgroups:billing")

"""Acknowledging alerts from the cockpit."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.http import UserRequest
from syncgroups.selectors.alerts import alerts_of
from syncgroups.services.alerts import acknowledge


@login_required
@require_POST
def acknowledged(request: UserRequest, upto: int) -> HttpResponse:
    acknowledge(request.user, upto)
    if not request.htmx:
        return redirect("analytics:live")
    return render(request, "syncgroups/_alerts.html", {"alerts": alerts_of(request.user, timezone.now())})

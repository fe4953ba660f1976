"""The cockpit, what it loads by itself, and the gallery of what pages are made of."""

from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from accounts.access import is_verified
from accounts.http import UserRequest
from analytics.forms import sample
from analytics.live.points import drawn
from analytics.selectors import dashboard, uptime
from analytics.selectors.equity import names_of, session_curve
from analytics.selectors.gallery import exhibits
from analytics.selectors.steps import first_steps
from syncgroups.selectors import activity_of

FILLS_SHOWN = 500


def front(request: HttpRequest) -> HttpResponse:
    """Show the cockpit, and to whoever never was here what this is; an ended session leads to the log-in."""
    if not request.user.is_authenticated and settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return redirect("welcome")
    return live(cast(UserRequest, request))


@login_required
@require_GET
def live(request: UserRequest) -> HttpResponse:
    page = {
        "live": dashboard(request.user),
        "verified": is_verified(request.user),
        "steps": first_steps(request.user),
    }
    return render(request, "analytics/live.html", page)


@login_required
@require_GET
def older(request: UserRequest, before: int) -> HttpResponse:
    page = {"page": activity_of(request.user, before)}
    return render(request, "analytics/_lines.html" if request.htmx else "analytics/older.html", page)


@login_required
@require_GET
def equity(request: UserRequest) -> HttpResponse:
    points = session_curve(request.user, timezone.now())
    page = {"points": points[::-1][:FILLS_SHOWN], "count": len(points), "names": names_of(request.user)}
    return render(request, "analytics/equity.html", page)


@login_required
@require_GET
def equity_points(request: UserRequest) -> JsonResponse:
    return JsonResponse(drawn(session_curve(request.user, timezone.now()), names_of(request.user)))


@login_required
@require_GET
def gallery(request: UserRequest) -> HttpResponse:
    return render(request, "ui/gallery.html", exhibits() | {"form": sample()})


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    return render(request, "public/status.html", {"status": uptime.status(timezone.now())})

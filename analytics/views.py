"""The live page and what it loads by itself."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from accounts.access import is_verified
from accounts.http import UserRequest
from analytics.forms import sample
from analytics.selectors import dashboard, uptime
from analytics.selectors.gallery import exhibits
from syncgroups.selectors import activity_of


@login_required(login_url="welcome", redirect_field_name=None)
@require_GET
def live(request: UserRequest) -> HttpResponse:
    page = {"live": dashboard(request.user), "verified": is_verified(request.user)}
    return render(request, "analytics/live.html", page)


@login_required
@require_GET
def older(request: UserRequest, before: int) -> HttpResponse:
    page = {"page": activity_of(request.user, before)}
    return render(request, "analytics/_lines.html" if request.htmx else "analytics/older.html", page)


@login_required
@require_GET
def gallery(request: UserRequest) -> HttpResponse:
    return render(request, "ui/gallery.html", exhibits() | {"form": sample()})


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    return render(request, "public/status.html", {"status": uptime.status(timezone.now())})

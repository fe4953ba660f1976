"""The activity log: pages of it, what is new above a page, single lines and orders, and the export."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from syncgroups.forms.activity import ActivityForm
from syncgroups.selectors import activity as log
from syncgroups.selectors.orders import followers_of
from syncgroups.views.table import csv_stream


@login_required
@require_GET
def page(request: UserRequest) -> HttpResponse:
    form = ActivityForm(request.GET, user=request.user)
    filters = form.filters()
    before = log.cursor_of(request.GET.get("before", ""))
    found = log.log_page(request.user, filters, before)
    shown: dict[str, object] = {"form": form, "page": found, "query": form.query(), "before": before}
    if request.htmx and before is not None:
        return render(request, "syncgroups/_log_page.html", shown)
    shown["tallies"] = log.tallies(request.user, filters)
    shown["newest"] = log.newest_of(request.user, found, timezone.now())
    return render(request, "syncgroups/activity.html", shown)


@login_required
@require_GET
def news(request: UserRequest) -> HttpResponse:
    form = ActivityForm(request.GET, user=request.user)
    since = log.cursor_of(request.GET.get("after", ""))
    count = log.news(request.user, form.filters(), since) if since is not None else 0
    shown = {"count": count, "many": count > log.NEWS_COUNTED, "query": form.query(), "newest": since}
    return render(request, "syncgroups/_news.html", shown)


@login_required
@require_GET
def line(request: UserRequest, pk: int) -> HttpResponse:
    found = log.line_for(request.user, pk)
    around = log.lines_of_order(request.user, found.thread, 200)
    return render(request, "syncgroups/line.html", {"line": found, "around": around})


@login_required
@require_GET
def followers(request: UserRequest, thread: str) -> HttpResponse:
    return render(request, "syncgroups/_followers.html", followers_of(request.user, thread))


@login_required
@require_GET
def export(request: UserRequest) -> StreamingHttpResponse:
    filters = ActivityForm(request.GET, user=request.user).filters()
    name = f"activity-{timezone.localdate().isoformat()}.csv"
    return csv_stream(name, log.every_line(request.user, filters), timezone.get_current_timezone())

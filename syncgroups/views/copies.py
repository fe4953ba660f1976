"""Lineage of one copy: its times as a waterfall (COPY-08)."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from syncgroups import selectors


@login_required
@require_GET
def detail(request: UserRequest, key: str) -> HttpResponse:
    copy = selectors.copy_for(request.user, key)
    page = {
        "copy": copy,
        "steps": selectors.steps_of(copy),
        "siblings": selectors.siblings_of(copy),
        "prices": selectors.prices_of(copy),
    }
    return render(request, "syncgroups/copy.html", page)

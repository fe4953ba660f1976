"""The audit log, for its owner."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts import selectors
from accounts.forms import AuditFilter
from accounts.http import UserRequest
from tradehaven.domain.enums import AuditKind


@login_required
@require_GET
def audit_log(request: UserRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    asked = form.cleaned_data["kind"] if form.is_valid() else ""
    kind = AuditKind(asked) if asked else None
    events = selectors.audit_of(request.user, kind=kind, page=request.GET.get("page", "1"))
    page = {"events": events, "form": form, "kind": kind}
    template = "accounts/_events.html" if request.htmx else "accounts/audit.html"
    return render(request, template, page, status=200 if form.is_valid() else 400)

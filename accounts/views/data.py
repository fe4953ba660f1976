"""The data page: take everything along, or have it deleted."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import require_code
from accounts.exports import parts
from accounts.forms import DeletionForm
from accounts.http import UserRequest
from accounts.services import archive, deletion


@login_required
@require_GET
def overview(request: UserRequest) -> HttpResponse:
    return render(request, "accounts/data.html", {"parts": list(parts()), "days": deletion.GRACE.days})


@login_required
@require_POST
@reauthentication_required  # type: ignore[untyped-decorator]  # the library ships no types
def export(request: UserRequest) -> StreamingHttpResponse:
    now = timezone.now()
    archive.record_export(user=request.user, request=request)
    name = f"tradehaven-{timezone.localdate(now).isoformat()}.zip"
    return StreamingHttpResponse(
        archive.stream(request.user.pk, now=now),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@login_required
@require_http_methods(["GET", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]
def delete(request: UserRequest) -> HttpResponse:
    require_code(request)
    form = DeletionForm(request.POST or None, user=request.user)
    if not form.is_valid():
        page = {"form": form, "days": deletion.GRACE.days}
        return render(request, "accounts/delete.html", page, status=422 if form.errors else 200)
    due = deletion.ask(user=request.user, request=request, now=timezone.now())
    logout(request)
    return render(request, "accounts/deleted.html", {"due": due})

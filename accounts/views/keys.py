"""API keys: list, make, revoke."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import is_verified
from accounts.forms import KeyForm
from accounts.http import UserRequest
from accounts.selectors import keys as selectors
from accounts.services import keys as service
from tradehaven.domain.errors import InvalidInput


@login_required
@require_GET
def key_list(request: UserRequest) -> HttpResponse:
    page = {
        "keys": selectors.keys_of(request.user),
        "verified": is_verified(request.user),
        "now": timezone.now(),
    }
    return render(request, "accounts/keys.html", page)


@login_required
@require_http_methods(["GET", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]  # the library ships no types
@never_cache
def make(request: UserRequest) -> HttpResponse:
    form = KeyForm(request.POST or None)
    if form.is_valid():
        try:
            row, text = service.make_key(owner=request.user, request=request, **form.choices())
            return render(request, "accounts/key_made.html", {"key": row, "text": text.text})
        except InvalidInput as error:
            form.add_error(error.field, error.message)
    return render(request, "accounts/key_form.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def revoke(request: UserRequest, pk: int) -> HttpResponse:
    key = selectors.key_for(request.user, pk)
    service.revoke_key(key=key, actor=request.user, request=request)
    messages.success(request, f"{key.name} is revoked; programs that use it are turned away from now on.")
    return redirect("accounts:keys")

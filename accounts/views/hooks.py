"""Web hooks out: list, make, test, switch on, remove."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import is_verified
from accounts.forms import HookForm
from accounts.http import UserRequest
from accounts.selectors import hooks as selectors
from accounts.services import hooks as service
from tradehaven.domain.errors import InvalidInput


@login_required
@require_GET
def hook_list(request: UserRequest) -> HttpResponse:
    page = {"hooks": selectors.hooks_of(request.user), "verified": is_verified(request.user)}
    return render(request, "accounts/hooks.html", page)


@login_required
@require_http_methods(["GET", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]  # the library ships no types
@never_cache
def make(request: UserRequest) -> HttpResponse:
    form = HookForm(request.POST or None)
    if form.is_valid():
        try:
            row, secret = service.make_hook(owner=request.user, request=request, **form.cleaned_data)
            return render(request, "accounts/hook_made.html", {"hook": row, "secret": secret})
        except InvalidInput as error:
            form.add_error(error.field, error.message)
    return render(request, "accounts/hook_form.html", {"form": form}, status=422 if form.errors else 200)


@login_required
@require_POST
def test(request: UserRequest, pk: int) -> HttpResponse:
    hook = selectors.hook_for(request.user, pk)
    service.send_test(hook=hook)
    messages.info(request, f"A test is on its way to {hook.name}; its answer stands below in a moment.")
    return redirect("accounts:hooks")


@login_required
@require_POST
def switch_on(request: UserRequest, pk: int) -> HttpResponse:
    hook = selectors.hook_for(request.user, pk)
    service.switch_on(hook=hook, actor=request.user, request=request)
    messages.success(request, f"{hook.name} is on again.")
    return redirect("accounts:hooks")


@login_required
@require_POST
def remove(request: UserRequest, pk: int) -> HttpResponse:
    hook = selectors.hook_for(request.user, pk)
    service.remove_hook(hook=hook, actor=request.user, request=request)
    messages.success(request, f"{hook.name} is removed; it is told nothing more.")
    return redirect("accounts:hooks")

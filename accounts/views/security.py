"""The security page: how one gets in, from where one is in, and what live money asks for."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts import selectors
from accounts.access import require_fresh_factor
from accounts.http import UserRequest
from accounts.services import sessions
from accounts.services.profile import ask_for_codes


@login_required
@require_GET
def security(request: UserRequest) -> HttpResponse:
    sessions.note_session(request)
    rows = selectors.sessions_of(request.user, current_key=request.session.session_key)
    page = {"sessions": rows, "factor": selectors.factor_of(request.user)}
    return render(request, "accounts/security.html", page)


@login_required
@require_POST
def revoke(request: UserRequest, pk: int) -> HttpResponse:
    session = selectors.session_for(request.user, pk)
    place = sessions.revoke(user=request.user, session=session, request=request)
    messages.success(request, f"Logged out: {place}.")
    return redirect("accounts:security")


@login_required
@require_POST
def revoke_others(request: UserRequest) -> HttpResponse:
    ended = sessions.revoke_all(user=request.user, but=request.session.session_key, request=request)
    messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("accounts:security")


@login_required
@require_POST
def live_money(request: UserRequest, on: bool) -> HttpResponse:
    if not on:
        # Taking the protection away is itself an action that it protects.
        require_fresh_factor(request)
    ask_for_codes(user=request.user, on=on, request=request)
    messages.success(request, f"Live money {'asks' if on else 'no longer asks'} for a code.")
    return redirect("accounts:security")

"""The profile page: name, time zone, mails; and how pages look, from there or from the top bar."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import LookForm, ProfileForm
from accounts.http import UserRequest
from accounts.services.profile import change_profile, choose_look


@login_required
@require_http_methods(["GET", "POST"])
def profile(request: UserRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        change_profile(user=request.user, values=form.cleaned_data, request=request)
        messages.success(request, "Your profile is saved.")
        return redirect("accounts:profile")
    page = {"form": form, "look_form": LookForm(instance=request.user)}
    return render(request, "accounts/profile.html", page, status=422 if form.errors else 200)


@login_required
@require_POST
def look(request: UserRequest) -> HttpResponse:
    form = LookForm(request.POST, instance=request.user)
    if not form.is_valid():
        return HttpResponse(status=422)
    choose_look(user=request.user, values=form.cleaned_data)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"look": form.cleaned_data})})
    messages.success(request, "Saved.")
    return redirect("accounts:profile")

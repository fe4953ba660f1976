"""What a person calls an account: its folder and its tags (CONN-09)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.http import UserRequest
from brokers.selectors import account_for
from syncgroups.forms import LabelForm, put_error
from syncgroups.services import logins
from tradehaven.domain.errors import InvalidInput


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    account = account_for(request.user, pk)
    form = LabelForm(request.POST or None, initial=LabelForm.initial_of(account))
    if form.is_valid():
        try:
            logins.label(account, request.user, folder=form.cleaned_data["folder"], tags=form.tags())
            messages.success(request, f"{account} is labelled.")
            return redirect("syncgroups:connections")
        except InvalidInput as error:
            put_error(form, error)
    page = {"form": form, "account": account}
    return render(request, "brokers/labels.html", page, status=422 if form.errors else 200)

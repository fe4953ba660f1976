"""In front of the log-in: the confirmation link again, and the password rules while one types."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import ResendForm
from accounts.services.addresses import send_link_again
from accounts.validators import rules

LONGEST = 128


@require_http_methods(["GET", "POST"])
def resend(request: HttpRequest) -> HttpResponse:
    form = ResendForm(request.POST or None)
    if not form.is_valid():
        return render(request, "account/resend.html", {"form": form}, status=422 if form.errors else 200)
    if not send_link_again(email=form.cleaned_data["email"], request=request):
        return render(request, "429.html", status=429)
    messages.info(request, "If that address waits to be confirmed, a new link is on its way to it.")
    return redirect("account_email_verification_sent")


@sensitive_post_parameters()
@require_POST
def password_rules(request: HttpRequest) -> HttpResponse:
    page = {"rules": rules(request.POST.get("password1", "")[:LONGEST])}
    return render(request, "account/_password_rules.html", page)

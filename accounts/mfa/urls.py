"""Addresses of the second factor, under the names by which allauth's flows know them."""

from allauth.mfa.base.views import authenticate, reauthenticate
from allauth.mfa.recovery_codes.views import generate_recovery_codes, view_recovery_codes
from allauth.mfa.totp.views import activate_totp
from django.urls import path
from django.views.generic import RedirectView

from accounts.mfa.views import remove_app

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="accounts:security"), name="mfa_index"),
    path("log-in/", authenticate, name="mfa_authenticate"),
    path("confirm/", reauthenticate, name="mfa_reauthenticate"),
    path("app/add/", activate_totp, name="mfa_activate_totp"),
    path("app/remove/", remove_app, name="mfa_deactivate_totp"),
    path("codes/", view_recovery_codes, name="mfa_view_recovery_codes"),
    path("codes/new/", generate_recovery_codes, name="mfa_generate_recovery_codes"),
]

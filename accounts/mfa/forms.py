"""Forms that take a code. Each code is checked by the person's device, with its row locked, and spent."""

from math import ceil
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.totp.forms import ActivateTOTPForm, DeactivateTOTPForm
from django import forms
from django.db import transaction
from django.utils import timezone

from accounts.models import FactorDevice, User, matching_step

_LABEL = "Code"
_ATTRIBUTES = {"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "maxlength": "12"}


def spend_code(user: User, code: str) -> Authenticator:
    """Return the factor that took the code; raise `ValidationError` for a wrong or spent one, or too many."""
    clear = check_rate_limit(user)
    with transaction.atomic():
        device, _ = FactorDevice.objects.select_for_update().get_or_create(user=user)
        allowed, why = device.verify_is_allowed()
        taken = allowed and device.verify_token(code)
    if not allowed:
        wait = ceil((why["locked_until"] - timezone.now()).total_seconds())
        text = f"Too many wrong codes. Try again in {max(wait, 1)} seconds."
        raise forms.ValidationError(text, code="throttled")
    if not taken:  # said outside of the transaction, in which the failure was counted
        authentication_failed.send(
            sender=Authenticator, request=context.request, user=user, authenticator=None
        )
        raise forms.ValidationError(
            "That code is wrong or was used already. Wait for the next one, and check your phone's clock.",
            code="incorrect_code",
        )
    clear()
    device.used.user = user
    return device.used


class _CodeForm(forms.Form):
    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """Spend the code."""
        code: str = self.cleaned_data["code"]
        self.authenticator = spend_code(self.user, code)
        return code


def _code_field(help_text: str) -> forms.CharField:
    return forms.CharField(label=_LABEL, help_text=help_text, widget=forms.TextInput(attrs=_ATTRIBUTES))


class EnterCodeForm(_CodeForm, AuthenticateForm):  # type: ignore[misc]  # the library ships no types
    """The second step of a log-in."""

    code = _code_field("Six digits from your app, or one of your recovery codes.")


class ConfirmCodeForm(_CodeForm, ReauthenticateForm):  # type: ignore[misc]
    """A code in the middle of a session."""

    code = _code_field("Six digits from your app, or one of your recovery codes.")


class AddAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """Enrolment: the first code proves that the app has the secret, and is spent by that."""

    code = _code_field("The six digits that the app shows now.")

    def clean_code(self) -> str:
        """Check the code against the secret that is being enrolled, and note its time step."""
        validate_can_add_authenticator(self.user)
        clear = check_rate_limit(self.user, error_key="rate_limited")
        code: str = self.cleaned_data["code"].replace(" ", "")
        step = matching_step(self.secret, code)
        if step is None:
            raise get_adapter().validation_error("incorrect_code")
        FactorDevice.objects.update_or_create(
            user=self.user, defaults={"name": "App", "last_step": step, "confirmed": False}
        )
        clear()
        return code


class RemoveAppForm(DeactivateTOTPForm):  # type: ignore[misc]
    """Removal: a session alone, even one just confirmed by password, does not take the factor away."""

    code = _code_field("Six digits from your app, or one of your recovery codes.")

    def clean_code(self) -> str:
        """Spend a code."""
        code: str = self.cleaned_data["code"]
        spend_code(self.authenticator.user, code)
        return code

    def clean(self) -> dict[str, Any] | None:
        """Refuse for operators, whose pages demand the factor."""
        if self.authenticator.user.is_staff:
            raise forms.ValidationError("Operators keep their second factor.", code="operator")
        found: dict[str, Any] | None = super().clean()
        return found

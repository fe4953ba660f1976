"""What people say about themselves, the keys that they ask for, and forms that choose a password."""

from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from allauth.account.forms import ChangePasswordForm as LibraryChangeForm
from allauth.account.forms import LoginForm as LibraryLoginForm
from allauth.account.forms import ResetPasswordKeyForm
from allauth.account.forms import SignupForm as LibrarySignupForm
from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.core.hooks import KINDS, MOST_URL
from accounts.core.keys import KeyKind, Scope
from accounts.core.look import FIELDS, PAIRS
from accounts.models import User
from tradehaven.domain.enums import AuditKind

SCOPES = [
    (Scope.READ, "Read"),
    (Scope.TRADE, "Read and trade"),
    (Scope.DISARM, "Read, trade and disarm the kill switch"),
]
LIVES = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}


@cache
def _zones() -> list[tuple[str, str]]:
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [(zone, zone.replace("_", " ")) for zone in ["UTC", *named]]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker only
    """Name, time zone, and what to be told by mail."""

    time_zone = forms.ChoiceField(
        choices=_zones, help_text="All times on all pages and in all mails are shown in it."
    )

    class Meta:
        model = User
        fields = ("display_name", "time_zone", "tell_sync_failures", "tell_guardrails", "tell_daily_summary")

    @property
    def about(self) -> list[forms.BoundField]:
        """Return the fields about the person."""
        return [self["display_name"], self["time_zone"]]

    @property
    def mails(self) -> list[forms.BoundField]:
        """Return the choices of mails."""
        return [self["tell_sync_failures"], self["tell_guardrails"], self["tell_daily_summary"]]


class LookForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker only
    """How pages look and sound. A field that is not sent stays as it is; a tick is sent as yes or no."""

    class Meta:
        model = User
        fields = FIELDS
        widgets = {"theme": forms.RadioSelect, "colours": forms.RadioSelect, "layout": forms.RadioSelect}

    def __init__(self, data: QueryDict | None = None, **given: Any) -> None:
        super().__init__(data, **given)
        self.fields["colours"] = forms.ChoiceField(
            label="Gains and losses", choices=list(PAIRS.items()), widget=forms.RadioSelect
        )
        if data is not None and "whole" not in data:
            for name in [name for name in self.fields if name not in data]:
                del self.fields[name]


class ResendForm(forms.Form):
    """To whom the confirmation link goes again."""

    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class AuditFilter(forms.Form):
    """Which part of the audit log to show."""

    kind = forms.ChoiceField(
        required=False,
        choices=[("", "Everything"), *((kind, kind.replace("_", "-").capitalize()) for kind in AuditKind)],
    )


class _Explained:
    """A form whose new password is held against the rules on the server while it is typed."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = self.fields["password1"]
        first.help_text = ""
        first.widget.attrs |= {
            "hx-post": reverse("accounts:password-rules"),
            "hx-params": "password1",
            "hx-trigger": "input changed delay:250ms",
            "hx-target": "#password-rules",
            "hx-swap": "outerHTML",
            "aria-describedby": "password-rules",
        }
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LogInForm(LibraryLoginForm):  # type: ignore[misc]  # the library ships no types
    """Log in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["login"].label = "E-mail address"
        self.fields["remember"].label = "Stay logged in for two weeks on this device"


class SignUpForm(_Explained, LibrarySignupForm):  # type: ignore[misc]  # the library ships no types
    """Sign up."""


class ChangePasswordForm(_Explained, LibraryChangeForm):  # type: ignore[misc]
    """Change the password, knowing the old one."""


class ResetPasswordForm(_Explained, ResetPasswordKeyForm):  # type: ignore[misc]
    """Set a password through a mailed link."""


class DeletionForm(forms.Form):
    """The last question before an account ends."""

    email = forms.EmailField(label="Your e-mail address, so that this does not happen by mistake")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        """Refuse any address but the person's own."""
        typed: str = self.cleaned_data["email"]
        if typed.lower() != self.user.email.lower():
            raise forms.ValidationError("That is not the address of this account.")
        return typed


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(max_length=80, help_text="What will use it: you will know it by this name.")
    kind = forms.ChoiceField(
        choices=[
            (KeyKind.PAPER, "Paper: demo and paper accounts only"),
            (KeyKind.LIVE, "Live: all accounts, real money too"),
        ],
        label="Reach",
    )
    scope = forms.ChoiceField(choices=SCOPES, label="May do")
    expires = forms.ChoiceField(choices=list(LIVES.items()), required=False, initial="90", label="Works for")

    def choices(self) -> dict[str, Any]:
        """Return what was chosen, as `services.keys.make_key` takes it."""
        typed = self.cleaned_data
        days = typed["expires"]
        return {
            "name": typed["name"],
            "kind": KeyKind(typed["kind"]),
            "scope": Scope(typed["scope"]),
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
        }


class HookForm(forms.Form):
    """A new web hook."""

    name = forms.CharField(max_length=80, help_text="What is told: you will know it by this name.")
    url = forms.CharField(
        max_length=MOST_URL,
        label="Address",
        help_text="Begins with https:// and leads to the open internet.",
        widget=forms.URLInput(attrs={"placeholder": "https://example.com/hook"}),
    )
    kinds = forms.MultipleChoiceField(
        choices=list(KINDS.items()),
        initial=[str(kind) for kind in KINDS],
        label="Tell it when",
        widget=forms.CheckboxSelectMultiple,
    )

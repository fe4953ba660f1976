"""What people say about themselves, and the keys that they ask for."""

from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils import timezone

from accounts.core.keys import KeyKind, Scope
from accounts.models import User

LIVES = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}


@cache
def _zones() -> list[tuple[str, str]]:
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return [(zone, zone.replace("_", " ")) for zone in ["UTC", *named]]


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker only
    """Name and time zone."""

    time_zone = forms.ChoiceField(choices=_zones, help_text="All times on all pages are shown in it.")

    class Meta:
        model = User
        fields = ("display_name", "time_zone")


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
    scope = forms.ChoiceField(choices=[(Scope.READ, "Read"), (Scope.TRADE, "Read and trade")], label="May do")
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

"""What people say about themselves."""

from functools import cache
from zoneinfo import available_timezones

from django import forms

from accounts.models import User


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

"""What a reader of the activity log asks for: filters as an address carries them."""

from typing import Any

from django import forms
from django.http import QueryDict

from accounts.models import User
from brokers.models import Account
from brokers.selectors import accounts_of
from syncgroups.models import ActivityKind, Severity, SyncGroup
from syncgroups.selectors.activity import Filters
from tradehaven.db import choices
from tradehaven.domain.calendar import day_span
from tradehaven.domain.enums import CopyOutcome

_ALL = [("", "All")]
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ActivityForm(forms.Form):
    """Every filter may be left empty. A day is a trading day: from 17:00 Chicago of the day before."""

    q = forms.CharField(
        max_length=80,
        required=False,
        label="Search",
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "words, reason, account"}),
    )
    outcome = forms.ChoiceField(choices=[*_ALL, *choices(CopyOutcome)], required=False)
    account = forms.ModelChoiceField(queryset=Account.objects.none(), required=False, empty_label="All")
    group = forms.ModelChoiceField(
        queryset=SyncGroup.objects.none(), required=False, empty_label="All", to_field_name="public_id"
    )
    kind = forms.ChoiceField(choices=[*_ALL, *choices(ActivityKind)], required=False)
    severity = forms.ChoiceField(choices=[*_ALL, *choices(Severity)], required=False)
    symbol = forms.CharField(
        max_length=16, required=False, widget=forms.TextInput(attrs={"placeholder": "ES or ESZ6"})
    )
    day = forms.DateField(required=False, label="Trading day", widget=_DAY)
    since = forms.DateTimeField(required=False, label="From", widget=_MOMENT)
    until = forms.DateTimeField(required=False, label="To", widget=_MOMENT)

    def __init__(self, data: QueryDict | dict[str, Any], *, user: User) -> None:
        super().__init__({_ALIASES.get(name, name): data.get(name) for name in data}, auto_id="filter-%s")
        for name, rows in (("account", accounts_of(user)), ("group", SyncGroup.objects.filter(owner=user))):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  # narrows for the type checker
            field.queryset = rows.order_by("name")

    def filters(self) -> Filters:
        """Return what was asked for; what could not be read is left out, and said at its field."""
        self.is_valid()
        typed = self.cleaned_data
        since, until = typed.get("since"), typed.get("until")
        if typed.get("day"):
            since, until = day_span(typed["day"])
        return Filters(
            since=since,
            until=until,
            group=typed.get("group"),
            account=typed.get("account"),
            kind=ActivityKind(typed["kind"]) if typed.get("kind") else None,
            severity=Severity(typed["severity"]) if typed.get("severity") else None,
            outcome=CopyOutcome(typed["outcome"]) if typed.get("outcome") else None,
            symbol=typed.get("symbol", "").strip().upper(),
            q=typed.get("q", "").strip(),
        )

    def query(self, **changed: str) -> str:
        """Return the filters as an address carries them, some of them changed; empty ones are left out."""
        found = QueryDict(mutable=True)
        for name in self.fields:
            value = changed.get(name, self.data.get(name) or "")
            if value and name not in self.errors:
                found[name] = value
        return found.urlencode()

    @property
    def without_outcome(self) -> str:
        """Return the other filters as an address carries them."""
        return self.query(outcome="")


_ALIASES = {"from": "since", "to": "until"}

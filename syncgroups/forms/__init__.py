"""What people type about groups, turned into the values that services take."""

import re
from typing import Any

from django import forms

from brokers.models import Account, TagKind
from syncgroups.core.plan import RestPolicy
from syncgroups.models import Follower, ProductRule, SyncGroup
from syncgroups.selectors.connections import tag_words
from syncgroups.services.groups import FollowerSettings, GroupSettings
from syncgroups.services.products import ProductSettings
from tradehaven.domain.enums import (
    BatchAct,
    DriftPolicy,
    RestRule,
    SessionHours,
    SizingMode,
    Span,
    SyncMode,
)
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.orders import MAX_ORDER_QTY

HOURS = [
    (SessionHours.ALL, "All hours"),
    (SessionHours.RTH, "Regular hours only (RTH)"),
    (SessionHours.ETH, "Extended hours only (ETH)"),
]
POLICIES = [
    (DriftPolicy.OBSERVE, "Observe: say it"),
    (DriftPolicy.PROPOSE, "Propose: say it, and offer the remedy"),
    (DriftPolicy.REPAIR, "Repair: close what should not be held, up to the cap"),
]
MODES = [
    (SyncMode.IMMEDIATE, "Immediate: as orders work"),
    (SyncMode.CONFIRMED, "Confirmed: as orders fill"),
]
ENTRY_RULES = [
    (RestRule.WAIT, "Keep waiting"),
    (RestRule.MARKET, "Take the market"),
    (RestRule.MARKET_WITHIN, "Take the market within a limit"),
    (RestRule.CANCEL, "Give up"),
]
EXIT_RULES = [rule for rule in ENTRY_RULES if rule[0] is not RestRule.CANCEL]
SIZINGS = [
    (SizingMode.RATIO, "Ratio of the leader's"),
    (SizingMode.FIXED, "Fixed quantity"),
    (SizingMode.BALANCE, "In proportion to balance"),
]


def put_error(form: forms.Form, error: InvalidInput) -> None:
    """Show a service's refusal at the field that it names, or above the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)


class GroupForm(forms.Form):
    """A group's own settings."""

    name = forms.CharField(max_length=80, help_text="For example “ES scalping, live accounts”.")
    mode = forms.ChoiceField(
        choices=MODES,
        label="Sync mode",
        initial=SyncMode.IMMEDIATE,
        help_text=(
            "Immediate copies an order the moment it works at the leader. "
            "Confirmed copies fills, and the exits that protect them."
        ),
    )
    entry_slack = forms.IntegerField(
        required=False,
        label="Confirmed entries within ticks",
        widget=forms.NumberInput(attrs={"placeholder": "at the market"}),
        help_text="How much worse than the leader's fill an entry may be. Empty: at the market.",
    )
    rest_after = forms.IntegerField(
        initial=RestPolicy().after,
        label="Wait for a follower that still rests, seconds",
        help_text="Counted from when the leader's own order had filled.",
    )
    rest_entries = forms.ChoiceField(
        choices=ENTRY_RULES, label="After that, an entry", initial=RestPolicy().entries
    )
    rest_exits = forms.ChoiceField(
        choices=EXIT_RULES, label="After that, an exit", initial=RestPolicy().exits
    )
    rest_slack = forms.IntegerField(
        initial=RestPolicy().slack,
        label="Within ticks of the leader's price",
        help_text="For taking the market within a limit.",
    )
    hours = forms.ChoiceField(choices=HOURS, label="Session hours", initial=SessionHours.ALL)
    instruments = forms.CharField(
        required=False,
        label="Only these instruments",
        help_text="Product roots such as ES, MNQ, CL. Leave empty to copy everything.",
    )

    drift_policy = forms.ChoiceField(
        choices=POLICIES,
        required=False,
        label="When a follower differs",
        initial=DriftPolicy.OBSERVE,
        help_text="Exits of ours that failed are always retried. Entries are only caught up by a click.",
    )
    drift_cap = forms.IntegerField(
        label="Repair cap",
        required=False,
        initial=1,
        min_value=1,
        help_text="The most contracts of one repair that nobody clicked.",
    )
    drift_ticks = forms.IntegerField(
        label="Catch-up tolerance",
        required=False,
        initial=8,
        min_value=0,
        help_text="How many ticks worse than the leader's price a missed entry may be caught up.",
    )

    def settings(self) -> GroupSettings:
        """Return the settings that were typed."""
        typed = self.cleaned_data
        plain = GroupSettings(name=typed["name"])
        cap, ticks = typed["drift_cap"], typed["drift_ticks"]
        roots = re.split(r"[\s,;]+", typed["instruments"].upper())
        return GroupSettings(
            name=typed["name"],
            hours=SessionHours(typed["hours"]),
            instruments=tuple(sorted({root for root in roots if root})),
            drift_policy=DriftPolicy(typed["drift_policy"] or plain.drift_policy),
            drift_cap=plain.drift_cap if cap is None else cap,
            drift_ticks=plain.drift_ticks if ticks is None else ticks,
            mode=SyncMode(typed["mode"]),
            entry_slack=typed["entry_slack"],
            rests=RestPolicy(
                after=typed["rest_after"],
                entries=RestRule(typed["rest_entries"]),
                exits=RestRule(typed["rest_exits"]),
                slack=typed["rest_slack"],
            ),
        )

    @staticmethod
    def initial_of(group: SyncGroup) -> dict[str, object]:
        """Return a group's settings as the form shows them."""
        return {
            "name": group.name,
            "hours": group.hours,
            "instruments": ", ".join(group.instruments),
            "drift_policy": group.drift_policy,
            "drift_cap": group.drift_cap,
            "drift_ticks": group.drift_ticks,
            "mode": group.mode,
            "entry_slack": group.entry_slack,
            "rest_after": group.rest_after,
            "rest_entries": group.rest_entries,
            "rest_exits": group.rest_exits,
            "rest_slack": group.rest_slack,
        }


_OPEN = forms.NumberInput(attrs={"placeholder": "no limit"})
_ROOT = forms.TextInput(attrs={"placeholder": "ES"})
_SAME = forms.TextInput(attrs={"placeholder": "the same"})


class SizingForm(forms.Form):
    """How a follower's quantities come about."""

    sizing = forms.ChoiceField(choices=SIZINGS)
    ratio = forms.DecimalField(max_digits=12, decimal_places=6, required=False, initial=1, localize=False)
    fixed_qty = forms.IntegerField(required=False, label="Fixed quantity", initial=1)
    max_contracts = forms.IntegerField(required=False, label="Cap", widget=_OPEN)
    reverse = forms.BooleanField(required=False, label="Against the leader")

    def settings(self) -> FollowerSettings:
        """Return the sizing that was typed; what the mode does not use may be left empty."""
        typed = self.cleaned_data
        plain = FollowerSettings()
        mode = SizingMode(typed["sizing"])
        unset_ratio = 0 if mode is SizingMode.RATIO else plain.ratio
        return FollowerSettings(
            sizing=mode,
            ratio=typed["ratio"] if typed["ratio"] is not None else type(plain.ratio)(unset_ratio),
            fixed_qty=typed["fixed_qty"] if typed["fixed_qty"] is not None else plain.fixed_qty,
            max_contracts=typed["max_contracts"],
            reverse=typed["reverse"],
        )

    @staticmethod
    def initial_of(follower: Follower) -> dict[str, object]:
        """Return a follower's sizing as the form shows it."""
        return {
            "sizing": follower.sizing,
            "ratio": f"{follower.ratio.normalize():f}",
            "fixed_qty": follower.fixed_qty,
            "max_contracts": follower.max_contracts,
            "reverse": follower.reverse,
        }


class ProductForm(forms.Form):
    """How a follower answers one product of its leader; what stays empty is as for all others.

    A row whose product is empty is no rule: so one is taken away.
    """

    product = forms.CharField(max_length=8, required=False, label="Leader's product", widget=_ROOT)
    copied = forms.BooleanField(required=False, initial=True, label="Copied")
    trades = forms.CharField(max_length=8, required=False, label="Trades", widget=_SAME)
    sizing = forms.ChoiceField(choices=[("", "As for all"), *SIZINGS], required=False)
    ratio = forms.DecimalField(max_digits=12, decimal_places=6, required=False, localize=False)
    fixed_qty = forms.IntegerField(required=False, label="Fixed quantity")
    max_contracts = forms.IntegerField(required=False, label="Cap")

    @property
    def root(self) -> str:
        """Return the product that the row is about, "" while it is about none."""
        return str(self["product"].value() or "").strip().upper()

    @property
    def is_empty(self) -> bool:
        """Say whether the row is no rule."""
        return not self.root

    @staticmethod
    def initial_of(rule: ProductRule) -> dict[str, object]:
        """Return a rule as the form shows it."""
        return {
            "product": rule.product,
            "copied": rule.copied,
            "trades": rule.trades,
            "sizing": rule.sizing,
            "ratio": f"{rule.ratio.normalize():f}" if rule.ratio is not None else None,
            "fixed_qty": rule.fixed_qty,
            "max_contracts": rule.max_contracts,
        }

    def settings(self) -> ProductSettings:
        """Return what was typed."""
        typed = self.cleaned_data
        return ProductSettings(
            product=typed["product"].strip().upper(),
            copied=typed["copied"],
            trades=typed["trades"].strip().upper(),
            sizing=SizingMode(typed["sizing"]) if typed["sizing"] else None,
            ratio=typed["ratio"],
            fixed_qty=typed["fixed_qty"],
            max_contracts=typed["max_contracts"],
        )


class LabelForm(forms.Form):
    """What a person calls an account."""

    folder = forms.CharField(
        max_length=40, required=False, help_text="One for each account, such as Apex 50k."
    )
    strategy = forms.CharField(max_length=200, required=False)
    firm = forms.CharField(max_length=200, required=False, label="Prop firm")
    stage = forms.CharField(
        max_length=200, required=False, help_text="Such as evaluation, funded or personal."
    )
    other = forms.CharField(max_length=400, required=False, label="Other tags", help_text="Comma between.")

    @staticmethod
    def initial_of(account: Account) -> dict[str, str]:
        """Return an account's labels as they are shown."""
        return {"folder": account.folder} | {str(kind): text for kind, text in tag_words(account).items()}

    def tags(self) -> dict[TagKind, list[str]]:
        """Return the tags that were typed, by what they are about."""
        return {kind: self.cleaned_data[kind].split(",") for kind in TagKind}


class BatchForm(forms.Form):
    """One act for all accounts of a group, a tag or a folder; empty `qty` is no limit.

    Whatever else is typed, it keeps nobody from stopping: `qty` is looked at where a limit is to be set.
    """

    span = forms.ChoiceField(choices=[(span, span) for span in Span])
    subject = forms.CharField(max_length=64, required=False, strip=False)
    act = forms.ChoiceField(choices=[(act, act) for act in BatchAct])
    qty = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        """Return what was chosen, with `qty` as a number of contracts or None."""
        typed = self.cleaned_data
        is_limit = typed.get("act") == BatchAct.LIMIT
        limit = forms.IntegerField(min_value=1, max_value=MAX_ORDER_QTY, required=False)
        try:
            qty = limit.clean(typed.get("qty", "")) if is_limit else None
        except forms.ValidationError as error:
            raise forms.ValidationError({"qty": error.messages}) from None
        return typed | {"qty": qty}

"""The builder's form: a group's settings, and one row for each account that a person has.

One page, one form: what is on the page is what is previewed, and what is saved.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.db.models import Q

from accounts.models import User
from brokers.models import Account
from brokers.selectors import accounts_of
from syncgroups.engine.preview import Imagined
from syncgroups.forms import GroupForm, ProductForm, SizingForm
from syncgroups.models import Follower, ProductRule, SyncGroup
from syncgroups.services.builder import GroupDraft, MemberDraft
from tradehaven.domain.enums import Side
from tradehaven.domain.errors import InvalidInput
from tradehaven.domain.orders import MAX_ORDER_QTY

LEADER, FOLLOWER, NOBODY = "leader", "follower", ""
_ROLES = [(NOBODY, "Not in it"), (LEADER, "Leads"), (FOLLOWER, "Follows")]
MOST_PRODUCTS = 60
"""So many product rows of one follower are read; there are fewer products than that."""


class ImaginedForm(forms.Form):
    """An order that the leader might place."""

    side = forms.ChoiceField(choices=[(Side.BUY, "buys"), (Side.SELL, "sells")], label="If the leader")
    qty = forms.IntegerField(label="Contracts", min_value=1, max_value=MAX_ORDER_QTY, initial=3)
    symbol = forms.CharField(max_length=16, label="Of", initial="NQ")

    def order(self) -> Imagined:
        """Return what was typed."""
        typed = self.cleaned_data
        return Imagined(symbol=typed["symbol"], side=Side(typed["side"]), qty=typed["qty"])


class MemberForm(SizingForm):
    """One account: its role in the group, and as a follower its sizes and products."""

    role = forms.ChoiceField(choices=_ROLES, required=False, widget=forms.RadioSelect)
    field_order = ["role"]

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        account: Account,
        role: str = NOBODY,
        follower: Follower | None = None,
        leads: str = "",
    ) -> None:
        self.account, self.leads = account, leads
        initial = SizingForm.initial_of(follower) if follower is not None else {}
        super().__init__(data, prefix=str(account.pk), initial=initial | {"role": role})
        self.rules = list(self._rules(data, follower))

    @property
    def chosen(self) -> str:
        """Return the role, as saved or as sent."""
        return str(self["role"].value() or NOBODY)

    @property
    def spare(self) -> ProductForm:
        """Return an empty row for a product, from which the page makes more."""
        return ProductForm(prefix=f"{self.prefix}-pN", auto_id=False)

    @property
    def saved_rules(self) -> int:
        """Return how many products have a rule."""
        return sum(not rule.is_empty for rule in self.rules)

    def is_valid(self) -> bool:
        """Look at sizes and products of followers alone: nobody else has any."""
        if self.chosen != FOLLOWER:
            return True
        return super().is_valid() & all([rule.is_empty or rule.is_valid() for rule in self.rules])

    def draft(self) -> MemberDraft:
        """Return the follower that was typed; raise `InvalidInput` for a product that is named twice."""
        found = [rule.settings() for rule in self.rules if not rule.is_empty]
        roots = [rule.product for rule in found]
        for root in roots:
            if roots.count(root) > 1:
                raise InvalidInput(f"{self.prefix}-products", f"{root} is named twice.")
        return MemberDraft(account=self.account, settings=self.settings(), products=tuple(found))

    def _rules(self, data: Mapping[str, Any] | None, follower: Follower | None) -> Iterator[ProductForm]:
        saved: list[ProductRule] = list(follower.products.all()) if follower is not None else []
        if data is None:
            for number, rule in enumerate([*saved, None]):
                initial = ProductForm.initial_of(rule) if rule is not None else {}
                yield ProductForm(prefix=f"{self.prefix}-p{number}", auto_id=False, initial=initial)
            return
        for number in range(MOST_PRODUCTS):
            if f"{self.prefix}-p{number}-product" in data:
                yield ProductForm(data, prefix=f"{self.prefix}-p{number}", auto_id=False)


class BuilderForm:
    """Everything on the builder's page."""

    def __init__(
        self, data: Mapping[str, Any] | None, *, user: User, group: SyncGroup | None = None, leader: int = 0
    ) -> None:
        self.group = group
        initial = GroupForm.initial_of(group) if group is not None else None
        self.settings = GroupForm(data, initial=initial)
        self.imagined = ImaginedForm(data, prefix="imagined", initial=_usual(group))
        self.members = [self._member(data, account, leader) for account in _eligible(user, group)]
        self.refused: list[str] = []

    def is_valid(self) -> bool:
        """Look at all of it, so that everything that is wrong is said at once."""
        fine = all([self.settings.is_valid(), *[member.is_valid() for member in self.members]])
        leaders = self.in_role(LEADER)
        if len(leaders) != 1:
            self.refused.append("Choose one account that leads.")
        return fine and len(leaders) == 1

    def draft(self) -> GroupDraft:
        """Return the group that was typed; raise `InvalidInput`."""
        return GroupDraft(
            leader=self.in_role(LEADER)[0].account,
            settings=self.settings.settings(),
            members=tuple(member.draft() for member in self.in_role(FOLLOWER)),
        )

    def put(self, error: InvalidInput) -> None:
        """Show a refusal at the field that it names, or above the form."""
        prefix, _, name = error.field.partition("-")
        member = next((found for found in self.members if found.prefix == prefix), None)
        if member is not None:
            member.add_error(name if name in member.fields else None, error.message)
        elif error.field in self.settings.fields:
            self.settings.add_error(error.field, error.message)
        elif error.field in self.imagined.fields:
            self.imagined.add_error(error.field, error.message)
        else:
            self.refused.append(error.message)

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Return what is wrong: whose and which field, what, and the field's place on the page."""
        found = [("", text, "") for text in self.refused]
        found += _errors(self.settings, "")
        found += _errors(self.imagined, "")
        for member in self.in_role(FOLLOWER):
            found += _errors(member, member.account.name)
            for rule in member.rules:
                if not rule.is_empty:
                    found += _errors(rule, f"{member.account.name}, {rule.root or 'product'}")
        return found

    def in_role(self, role: str) -> list[MemberForm]:
        """Return the accounts in one role."""
        return [member for member in self.members if member.chosen == role]

    @property
    def leaders(self) -> list[MemberForm]:
        """Return who leads: one, or none yet."""
        return self.in_role(LEADER)

    @property
    def followers(self) -> list[MemberForm]:
        """Return who follows."""
        return self.in_role(FOLLOWER)

    @property
    def available(self) -> list[MemberForm]:
        """Return who is not in the group."""
        return self.in_role(NOBODY)

    def _member(self, data: Mapping[str, Any] | None, account: Account, leader: int) -> MemberForm:
        rows = self.group.followers.all() if self.group is not None else ()
        follower = next((row for row in rows if row.account_id == account.pk), None)
        led = getattr(account, "led_group", None)
        leads_here = led is not None and self.group is not None and led.pk == self.group.pk
        role = LEADER if leads_here or account.pk == leader else FOLLOWER if follower else NOBODY
        leads = led.name if led is not None and not leads_here else ""
        return MemberForm(data, account=account, role=role, follower=follower, leads=leads)


def _eligible(user: User, group: SyncGroup | None) -> list[Account]:
    usable = Q(active=True)
    if group is not None:  # a member stays on the page although it cannot trade any more
        usable |= Q(led_group=group) | Q(follows__group=group)
    found = accounts_of(user).filter(usable).select_related("led_group").distinct()
    return list(found.order_by("name", "pk"))


def _usual(group: SyncGroup | None) -> dict[str, object]:
    """Return the order that a preview begins with: three of the group's first product, or of NQ."""
    roots = group.instruments if group is not None else []
    return {"side": Side.BUY, "qty": 3, "symbol": roots[0] if roots else "NQ"}


def _errors(form: forms.Form, whose: str) -> list[tuple[str, str, str]]:
    found = []
    for name, texts in form.errors.items():
        field = form[name] if name in form.fields else None
        label = str(field.label) if field is not None else ""
        where = ": ".join(part for part in (whose, label) if part)
        place = str(field.id_for_label) if field is not None else ""
        found += [(where, str(text), place) for text in texts]
    return found

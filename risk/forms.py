"""Rules as a form: flat fields in, the same JSON out that the API takes, so that both are read alike.

A field is named by its dotted place in the rules, with `__` for the dot. An empty amount asks for nothing,
and its whole part with it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms

from risk.core.lines import LINES
from risk.core.presets import presets
from risk.core.rules import Breach, LockUntil, Naked, Rules, Trail, Unit
from risk.core.written import read, written
from tradehaven.db import choices
from tradehaven.domain.errors import InvalidInput

_USD = {"inputmode": "decimal", "placeholder": "no limit", "class": "short"}
_COUNT = {"inputmode": "numeric", "min": 1, "placeholder": "no limit", "class": "short"}
_CLOCK = {"type": "time", "class": "short"}
_NEED = {
    "daily_loss": "amount",
    "daily_profit": "amount",
    "give_back": "amount",
    "drawdown": "amount",
    "rate": "entries",
    "flat": "at",
    "consistency": "best_day",
}
"""What a part of the rules must have to be asked for at all."""


def _usd(label: str, hint: str = "") -> forms.DecimalField:
    widget = forms.TextInput(attrs=_USD)
    return forms.DecimalField(required=False, label=label, help_text=hint, min_value=0, widget=widget)


def _count(label: str, hint: str = "") -> forms.IntegerField:
    widget = forms.NumberInput(attrs=_COUNT)
    return forms.IntegerField(required=False, label=label, help_text=hint, min_value=1, widget=widget)


def _clock(label: str, hint: str = "") -> forms.TimeField:
    return forms.TimeField(required=False, label=label, help_text=hint, widget=forms.TimeInput(attrs=_CLOCK))


def _choice(label: str, enum: Any, hint: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, help_text=hint, choices=choices(enum))


class RulesForm(forms.Form):
    """Everything that a person sets about an account's rules. `rules` is what was typed, once it is valid."""

    daily_loss__amount = _usd("Daily loss limit, USD", "Realized, open and fees together.")
    daily_loss__breach = _choice("When it is reached", Breach)
    daily_loss__lockout__until = _choice("Locked until", LockUntil)
    daily_loss__lockout__minutes = _count("Minutes, where it is a duration")
    reset_at = _clock("The day begins at, Chicago")
    daily_profit__amount = _usd("Daily profit target, USD")
    daily_profit__breach = _choice("When it is reached", Breach)
    give_back__after = _usd("Keep a day's profit once it was, USD")
    give_back__amount = _usd("and this much may be given back, USD")
    drawdown__trail = _choice("Drawdown follows", Trail)
    drawdown__amount = _usd("Maximum drawdown, USD")
    drawdown__start = _usd("Starting balance, USD")
    drawdown__lock = _usd("Its floor stops rising at, USD")
    drawdown__known = _usd("The floor that the firm shows now, USD", "For an account that has traded before.")
    drawdown__reserve = _usd("Reserve kept over the floor, USD")
    caps__instrument = _count("Contracts of one instrument")
    caps__account = _count("Contracts over all instruments")
    caps__minis = _usd("Mini-equivalents over all instruments", "Ten micros count as one.")
    caps__order = _count("Contracts in one order")
    caps__products = forms.CharField(
        required=False, label="By product", help_text="Such as ES 2, NQ 1.", max_length=400
    )
    products = forms.CharField(
        required=False,
        label="Products that may be traded",
        help_text="Such as ES, MES; empty is all.",
        max_length=400,
    )
    rate__entries = _count("Entries at most")
    rate__seconds = _count("in so many seconds")
    repeats = _count("The same entry not twice within, seconds")
    trades_a_day = _count("Entries a day")
    losses_in_row = _count("Losing trades in a row")
    hours = forms.CharField(
        required=False,
        label="Entries only at, Chicago",
        help_text="Such as 08:30-11:00, 13:00-15:00; empty is always.",
        max_length=200,
    )
    news = forms.CharField(
        required=False,
        label="News, Chicago",
        help_text="One a line, such as 2026-12-10 07:28-07:40 CPI; ES, NQ; flat. Without products all are "
        "meant; with flat, positions are closed when it begins.",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "lines-field"}),
    )
    flat__at = _clock("Flat every day at, Chicago", "15:55 is usual; an earlier end of a market wins.")
    flat__firm_at = _clock("The firm's own time to be flat")
    protection__stop__value = _usd("Stop of every entry, distance")
    protection__stop__unit = _choice("in", Unit)
    protection__target__value = _usd("Target of every entry, distance")
    protection__target__unit = _choice("in", Unit)
    protection__naked = _choice("Where there is none", Naked)
    worst_case = forms.BooleanField(required=False, label="Refuse an entry whose stop would break a limit")
    collar__on = forms.BooleanField(required=False, label="Refuse prices far from the market, and stale ones")
    opposite = forms.BooleanField(required=False, label="May stand against my other accounts")
    mixing = forms.BooleanField(required=False, label="May hold micros while another account holds minis")
    fee = _usd("Fee of one contract on one side, USD")

    SECTIONS = (
        ("Loss and profit of a day", ("daily_loss", "reset_at", "daily_profit", "give_back")),
        ("Drawdown", ("drawdown",)),
        ("Size", ("caps", "products")),
        ("Pace", ("rate", "repeats", "trades_a_day", "losses_in_row")),
        ("Time", ("hours", "news", "flat")),
        ("Protection", ("protection", "worst_case")),
        ("Sanity", ("collar", "opposite", "mixing", "fee")),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, rules: Rules) -> None:
        super().__init__(data, initial=_USUAL | _initial(written(rules)))
        self._before = rules
        self.rules = rules

    def sections(self) -> Iterator[tuple[str, list[forms.BoundField]]]:
        """Yield the fields under their headings."""
        for title, parts in self.SECTIONS:
            yield title, [self[name] for name in self.fields if name.split("__")[0] in parts]

    def clean(self) -> dict[str, Any]:
        """Read the rules; what is wrong stands at its field."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                self.rules = read(self._body(cleaned))
            except InvalidInput as error:
                name = error.field.replace(".", "__")
                self.add_error(self._field_of(name), error.message)
        return cleaned

    def _field_of(self, name: str) -> str | None:
        found = (field for field in self.fields if field.startswith(name) or name.startswith(f"{field}__"))
        return next(found, None)

    def _body(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was typed as JSON, over what these fields do not show."""
        body = written(self._before)
        for name in self.fields:
            value = cleaned[name]
            if name in LINES:
                value = LINES[name].read(value)
            _put(body, name.split("__"), str(value) if hasattr(value, "as_tuple") else _plain(value))
        for part, need in _NEED.items():
            if isinstance(body.get(part), dict) and body[part].get(need) in (None, ""):
                body[part] = None
        protection = body["protection"]
        for leg in ("stop", "target"):
            if protection[leg].get("value") is None:
                protection[leg] = None
        if protection["stop"] is None and protection["target"] is None:
            body["protection"] = None
        if not body["collar"].get("on"):
            body["collar"] = None
        return _without_none(body)


_USUAL = {
    "daily_loss__breach": str(Breach.FLATTEN),
    "daily_profit__breach": str(Breach.FLATTEN),
    "drawdown__trail": str(Trail.INTRADAY),
    "protection__naked": str(Naked.ATTACH),
}
"""What is chosen where nothing was set: what the rules themselves take, and the strictest drawdown."""


class PresetForm(forms.Form):
    """Which firm's rule set to start from."""

    preset = forms.ChoiceField(required=False, label="Rule set")

    def __init__(self, *, chosen: str = "") -> None:
        super().__init__(initial={"preset": chosen})
        firms: dict[str, list[tuple[str, str]]] = {}
        for name, found in presets().items():
            firms.setdefault(found.firm, []).append((name, f"{found.program} {found.size // 1000}K"))
        self.fields["preset"].choices = [("", "Choose a firm's rules"), *firms.items()]  # type: ignore[attr-defined]


class LockForm(forms.Form):
    """Until when an account takes no entries, and why."""

    until = forms.DateTimeField(
        label="Locked until", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    reason = forms.CharField(required=False, label="Why, if you like", max_length=200)


def _initial(body: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        place = f"{path}{name}"
        if place in LINES:
            found[place] = LINES[place].write(value)
        elif isinstance(value, Mapping):
            found |= _initial(value, f"{place}__")
        else:
            found[place] = value
    return found


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        if not isinstance(body.get(name), dict):
            body[name] = {}
        body = body[name]
    body[path[-1]] = value


def _plain(value: Any) -> Any:
    if value in (None, ""):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was left empty inside a part, so that it has its default."""
    return {
        name: _without_none(value) if isinstance(value, dict) and value else value
        for name, value in body.items()
        if value is not None
    }

"""Rules as a form: what is shown comes back as it was, what is wrong stands at its field."""

from decimal import Decimal
from typing import Any

import pytest

from risk.core.presets import applied, presets
from risk.core.rules import Collar, DayLimit, NewsWindow, Offset, Protection, Rules, Unit, Window
from risk.core.written import read
from risk.forms import PresetForm, RulesForm


def typed(rules: Rules, **more: str) -> dict[str, Any]:
    """Return what a browser sends for rules, with some fields typed otherwise."""
    initial = RulesForm(rules=rules).initial
    sent = {
        name: "on" if value is True else value
        for name, value in initial.items()
        if value not in (None, False)
    }
    return {name: value for name, value in sent.items() if name in RulesForm.base_fields} | more


@pytest.mark.parametrize("name", sorted(presets()))
def test_every_rule_set_survives_the_form(name: str) -> None:
    rules = applied(presets()[name], Rules())
    form = RulesForm(typed(rules), rules=rules)
    assert form.is_valid(), form.errors
    assert form.rules == rules


def test_what_the_form_does_not_show_is_kept() -> None:
    rules = Rules(collar=Collar(quote_age=9))
    form = RulesForm(typed(rules, daily_loss__amount="500"), rules=rules)
    assert form.is_valid(), form.errors
    assert form.rules.collar == rules.collar
    assert form.rules.daily_loss is not None


def test_what_nobody_chose_is_what_the_rules_take_by_themselves() -> None:
    form = RulesForm(typed(Rules(), daily_loss__amount="500", daily_profit__amount="900"), rules=Rules())
    assert form.is_valid(), form.errors
    assert form.rules.daily_loss == DayLimit(amount=Decimal(500))
    assert form.rules.daily_profit == DayLimit(amount=Decimal(900))


def test_news_survive_the_form() -> None:
    news = read({"news": [{"label": "FOMC", "start": "2026-12-09T18:58:00Z", "end": "2026-12-09T19:32:00Z"}]})
    assert isinstance(news.news[0], NewsWindow)
    form = RulesForm(typed(news, daily_loss__amount="500"), rules=news)
    assert form.is_valid(), form.errors
    assert form.rules.news == news.news


def test_lines_are_read_as_people_write_them() -> None:
    more = {"hours": "8:30-11:00, 13:00 to 15:00", "caps__products": "es 2, NQ 1", "products": "es, mes nq"}
    form = RulesForm(typed(Rules(), **more), rules=Rules())
    assert form.is_valid(), form.errors
    assert [(w.start.hour, w.end.hour) for w in form.rules.hours] == [(8, 11), (13, 15)]
    assert isinstance(form.rules.hours[0], Window)
    assert form.rules.caps.products == {"ES": 2, "NQ": 1}
    assert form.rules.products == {"ES", "MES", "NQ"}


def test_an_emptied_amount_takes_its_whole_part_away() -> None:
    rules = Rules(protection=Protection(stop=Offset(value=Decimal(1), unit=Unit.PERCENT)), collar=Collar())
    sent: dict[str, Any] = typed(rules, protection__stop__value="")
    del sent["collar__on"]
    form = RulesForm(sent, rules=rules)
    assert form.is_valid(), form.errors
    assert (form.rules.protection, form.rules.collar) == (None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hours", "8 to noon"),
        ("caps__products", "ES two"),
        ("daily_loss__amount", "-5"),
        ("daily_loss__amount", "much"),
        ("reset_at", "25:00"),
        ("drawdown__amount", "2000"),
        ("daily_loss__breach", "shout"),
    ],
)
def test_what_is_wrong_stands_at_a_field(field: str, value: str) -> None:
    form = RulesForm(typed(Rules(), **{field: value}), rules=Rules())
    assert not form.is_valid()
    assert any(name.split("__")[0] == field.split("__")[0] for name in form.errors)


def test_the_rule_sets_are_grouped_by_their_firms() -> None:
    shown = str(PresetForm(chosen=next(iter(presets()))))
    assert shown.count("<optgroup") == len({found.firm for found in presets().values()})
    assert shown.count("<option") == len(presets()) + 1

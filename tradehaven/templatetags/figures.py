"""Numbers as people read them. A sign always stands beside a colour; a missing number is a dash."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tradehaven.domain.money import cents, usd

register = template.Library()

DASH = "–"
MINUS = "\N{MINUS SIGN}"


@register.filter
def dollars(amount: Decimal | None) -> str:
    """Write an amount: $1,234.50."""
    if amount is None:
        return DASH
    rounded = cents(usd(amount)).amount
    return f"{MINUS if rounded < 0 else ''}${abs(rounded):,.2f}"


@register.filter
def gain(amount: Decimal | None) -> str:
    """Write a gain or loss with its sign: +$12.50."""
    if amount is None:
        return DASH
    rounded = cents(usd(amount)).amount
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}${abs(rounded):,.2f}"


@register.filter
def tone(amount: Decimal | int | None) -> str:
    """Return the class of an amount's colour."""
    if not amount:
        return "flat"
    return "gain" if amount > 0 else "loss"


@register.simple_tag
def money(amount: Decimal | None, key: str = "") -> SafeString:
    """Show an amount that can be hidden; `key` is the name under which live messages change it."""
    if not key:
        return format_html('<span class="money">{}</span>', dollars(amount))
    return format_html('<span class="money" data-live="{}">{}</span>', key, dollars(amount))


@register.simple_tag
def profit(amount: Decimal | None, key: str = "") -> SafeString:
    """Show a gain or loss with its sign and colour; `key` as for `money`."""
    if not key:
        return format_html('<span class="money {}">{}</span>', tone(amount), gain(amount))
    text = '<span class="money {}" data-live="{}">{}</span>'
    return format_html(text, tone(amount), key, gain(amount))


@register.simple_tag
def worth_of(found: Any, key: str) -> SafeString:
    """Show what a position has gained; by a price that is too old greyed, with its age."""
    text, tones = worth_words(found)
    return format_html('<span class="money {}" data-live="{}">{}</span>', tones, key, text)


def worth_words(found: Any) -> tuple[str, str]:
    """Return what a position has gained in words, and the classes that go with it."""
    if found.gain is None and found.last is not None:
        return f"{gain(found.last)} {aged(found.age)}", f"{tone(found.last)} stale"
    return gain(found.gain), tone(found.gain)


@register.filter
def signed(number: int) -> str:
    """Write contracts with their sign: +2."""
    return f"{'+' if number > 0 else MINUS if number < 0 else ''}{abs(number)}"


@register.filter
def took(span: timedelta | None) -> str:
    """Write a short time: 850 µs, 12.4 ms, 1.25 s."""
    if span is None:
        return DASH
    micros = span / timedelta(microseconds=1)
    if abs(micros) < 1000:
        return f"{micros:.0f} µs"
    if abs(micros) < 1_000_000:
        return f"{micros / 1000:.1f} ms"
    return f"{micros / 1_000_000:.2f} s"


@register.filter
def item(found: Mapping[object, object], key: object) -> object:
    """Return what stands under a key, nothing where it is absent."""
    return found.get(key, "")


@register.filter
def aged(span: timedelta | None) -> str:
    """Write how old something is: 8 s, 12 min, 3 h, 2 d."""
    if span is None:
        return ""
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@register.filter
def words(value: str) -> str:
    """Write an enum's value as words."""
    return str(value).replace("_", " ")

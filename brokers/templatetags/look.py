"""How the page looks to its reader, known before the first byte leaves, so that nothing flashes.

`{% look as look %}` on top of the frame; what a person chose follows them to every browser. A visitor's
theme is in a cookie.
"""

from dataclasses import dataclass

from django import template
from django.template import Context

from accounts.core.look import PAIRS, Colours, Theme
from accounts.middleware import zone_of
from accounts.models import User
from brokers.selectors import money_of
from tradehaven.domain.enums import Environment

register = template.Library()
COOKIE = "theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the frame needs to know; `money` is None where nobody's money is on the page."""

    theme: Theme = Theme.SYSTEM
    colours: Colours = Colours.GREEN_RED
    zone: str = ""
    hides_values: bool = False
    sounds: bool = False
    desktop_notices: bool = False
    money: Environment | None = None


@register.simple_tag(takes_context=True)
def look(context: Context) -> Look:
    """Return the reader's look; an error page, which may have no request at all, gets the usual one."""
    user, request = context.get("user"), context.get("request")
    if isinstance(user, User):
        return look_of(user)
    said = request.COOKIES.get(COOKIE) if request is not None else None
    return Look(theme=Theme(said) if said in set(Theme) else Theme.SYSTEM)


@register.inclusion_tag("ui/_look.html", takes_context=True)
def look_choices(context: Context, user: User) -> dict[str, object]:
    """Show the choices of looks, with the person's own ones made."""
    themes = [(theme, theme.capitalize()) for theme in Theme]
    return {
        "user": user,
        "themes": themes,
        "colours": [(colours, PAIRS[colours]) for colours in Colours],
        "csrf_token": context.get("csrf_token"),
    }


def look_of(user: User) -> Look:
    """Return what a person chose."""
    return Look(
        theme=Theme(user.theme),
        colours=Colours(user.colours),
        zone=str(zone_of(user)),
        hides_values=user.hide_values,
        sounds=user.sounds,
        desktop_notices=user.desktop_notices,
        money=money_of(user),
    )

"""Pages that anybody may read: what this is, the guide. They ask no table but who is there."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.core.plans import TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One page of the guide; its words stand in `templates/public/guide/<slug>.html`."""

    slug: str
    title: str
    about: str


GUIDE = (
    Chapter(slug="start", title="Getting started", about="From signing up to the first copied trade."),
    Chapter(slug="account", title="Your account", about="Profile, mails, second factor, data, plan."),
    Chapter(slug="connect", title="Connecting Tradovate", about="What is asked for, tokens, reconnecting."),
    Chapter(slug="groups", title="Groups and copying", about="Leader, followers, sizes, symbols, chains."),
    Chapter(slug="risk", title="Guardrails", about="Limits, drawdowns, locks, times to be flat."),
    Chapter(slug="kill", title="Kill switch", about="Stopping everything, also when half of us is down."),
    Chapter(slug="cockpit", title="The cockpit", about="What the page shows, colours, keys."),
    Chapter(slug="api", title="API and web hooks", about="Keys, calls, signed messages."),
    Chapter(slug="trouble", title="When something is wrong", about="Symptoms, causes, what to do."),
    Chapter(slug="questions", title="Questions", about="Demo accounts, prop firms, partial fills, uptime."),
)
_BY_SLUG = {chapter.slug: chapter for chapter in GUIDE}


@require_safe
def welcome(request: HttpRequest) -> HttpResponse:
    return render(request, "public/welcome.html", {"plans": TERMS.values()})


@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    return render(request, "public/guide.html", {"guide": GUIDE})


@require_safe
def chapter(request: HttpRequest, slug: str) -> HttpResponse:
    found = _BY_SLUG.get(slug)
    if found is None:
        raise Http404
    place = GUIDE.index(found)
    page = {
        "guide": GUIDE,
        "chapter": found,
        "before": GUIDE[place - 1] if place else None,
        "after": GUIDE[place + 1] if place + 1 < len(GUIDE) else None,
    }
    return render(request, f"public/guide/{slug}.html", page)

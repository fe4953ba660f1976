"""Every door of the product and whose it is. A new address, admin page or action needs a row here."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver


class Whose(StrEnum):
    """Who may pass a door, and what it shows."""

    ANYBODY = "anybody: tells nothing of anybody"
    OWN = "whoever is logged in, and only their own things"
    NAMED = "the owner of what the address names; to others it does not exist"
    KEY = "a program with a key, and only its owner's things"
    KEY_NAMED = "a program with a key of the owner of what the address names"
    OPERATOR = "operators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Whose a door is, and which of the victim's things fill its address."""

    whose: Whose
    fills: tuple[str, ...] = ()


def anybody(*fills: str) -> Row:
    """Return a row for a door that is open to all."""
    return Row(whose=Whose.ANYBODY, fills=fills)


def named(*fills: str) -> Row:
    """Return a row for a door whose address names somebody's thing."""
    return Row(whose=Whose.NAMED, fills=fills)


OWN, KEY, OPERATOR = Row(whose=Whose.OWN), Row(whose=Whose.KEY), Row(whose=Whose.OPERATOR)
DOORS: dict[str, Row] = {
    "": OWN,
    "activity/before/<int:before>/": Row(whose=Whose.OWN, fills=("line",)),
    "palette/": OWN,
    "alerts/<int:upto>/acknowledge/": Row(whose=Whose.OWN, fills=("line",)),
    "groups/": OWN,
    "groups/new/": OWN,
    "groups/preview/": OWN,
    "groups/<slug:public_id>/": named("group"),
    "groups/<slug:public_id>/edit/": named("group"),
    "groups/<slug:public_id>/on/": named("group"),
    "groups/<slug:public_id>/off/": named("group"),
    "groups/<slug:public_id>/dissolve/": named("group"),
    "halt/": OWN,
    "gates/<int:pk>/halt/": named("gate"),
    "gates/<int:pk>/disarm/": named("gate"),
    "batch/": OWN,
    "batch/ask/": OWN,
    "risk/": OWN,
    "risk/all/": OWN,
    "risk/accounts/<int:pk>/": named("account"),
    "risk/accounts/<int:pk>/lock/": named("account"),
    "risk/groups/<slug:public_id>/followers/": named("group"),
    "risk/groups/<slug:public_id>/sum/": named("group"),
    "activity/": OWN,
    "activity/news/": OWN,
    "activity/export.csv": OWN,
    "activity/lines/<int:pk>/": named("line"),
    "activity/orders/<str:thread>/": named("copy"),
    "orders/<str:name>/": named("copy"),
    "copies/<str:key>/": named("copy"),
    "copies/<str:key>/replay/": named("missed"),
    "drift/<int:pk>/repair/": named("drift"),
    "drift/<int:pk>/ignore/": named("drift"),
    "drift/<int:pk>/quarantine/": named("drift"),
    "quarantines/<int:pk>/release/": named("quarantine"),
    "settings/connections/": OWN,
    "settings/connections/callback/": OWN,
    "settings/connections/connect/<slug:environment>/": Row(whose=Whose.OWN, fills=("=paper",)),
    "settings/connections/<int:pk>/reconnect/": named("login"),
    "settings/connections/<int:pk>/disconnect/": named("login"),
    "settings/connections/<int:pk>/look/": named("login"),
    "settings/accounts/<int:pk>/labels/": named("account"),
    "settings/billing/": OWN,
    "settings/billing/plan/<slug:plan>/": Row(whose=Whose.OWN, fills=("=professional",)),
    "settings/billing/cancel/": OWN,
    "settings/billing/resume/": OWN,
    "settings/billing/portal/": OWN,
    "billing/webhook/": anybody(),
    "settings/paper/": OWN,
    "settings/paper/logins/<int:pk>/<slug:drill>/on/": named("login", "=offline"),
    "settings/paper/logins/<int:pk>/<slug:drill>/off/": named("login", "=offline"),
    "settings/paper/accounts/<int:pk>/<slug:drill>/on/": named("account", "=reject"),
    "settings/paper/accounts/<int:pk>/<slug:drill>/off/": named("account", "=reject"),
    "settings/profile/": OWN,
    "settings/look/": OWN,
    "equity/": OWN,
    "equity/points/": OWN,
    "gallery/": OWN,
    "settings/security/": OWN,
    "settings/security/sessions/<int:pk>/revoke/": named("session"),
    "settings/security/sessions/revoke-others/": OWN,
    "settings/security/live-money/on/": OWN,
    "settings/security/live-money/off/": OWN,
    "settings/audit/": OWN,
    "settings/data/": OWN,
    "settings/data/export/": OWN,
    "settings/data/delete/": OWN,
    "settings/keys/": OWN,
    "settings/keys/new/": OWN,
    "settings/keys/<int:pk>/revoke/": named("key"),
    "settings/webhooks/": OWN,
    "settings/webhooks/new/": OWN,
    "settings/webhooks/<int:pk>/test/": named("hook"),
    "settings/webhooks/<int:pk>/on/": named("hook"),
    "settings/webhooks/<int:pk>/remove/": named("hook"),
    "api/docs": anybody(),
    "api/schema": anybody(),
    "api/accounts": KEY,
    "api/trades": KEY,
    "api/trades/copy": KEY,
    "api/trades/copies/<slug:copy_id>": Row(whose=Whose.KEY_NAMED, fills=("manual",)),
    "api/pnl/snapshot": KEY,
    "api/kill": KEY,
    "api/kill/disarm": KEY,
    "api/batch": KEY,
    "api/accounts/<int:pk>/rules": Row(whose=Whose.KEY_NAMED, fills=("account",)),
    "api/accounts/<int:pk>/lock": Row(whose=Whose.KEY_NAMED, fills=("account",)),
    "api/syncer/snapshot": KEY,
    "^api(?:/|$)": anybody(),
    "panic/": anybody(),
    "welcome/": anybody(),
    "guide/": anybody(),
    "guide/<slug:slug>/": anybody("=start"),
    "status/": anybody(),
    "livez": anybody(),
    "readyz": anybody(),
    "accounts/resend/": anybody(),
    "accounts/password-rules/": anybody(),
    "accounts/factor/": anybody(),
    "accounts/factor/log-in/": anybody(),
    "accounts/factor/confirm/": OWN,
    "accounts/factor/app/add/": OWN,
    "accounts/factor/app/remove/": OWN,
    "accounts/factor/codes/": OWN,
    "accounts/factor/codes/new/": OWN,
    "accounts/login/": anybody(),
    "accounts/logout/": anybody(),
    "accounts/inactive/": anybody(),
    "accounts/signup/": anybody(),
    "accounts/reauthenticate/": OWN,
    "accounts/email/": OWN,
    "accounts/confirm-email/": anybody(),
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": anybody("=nonsense"),
    "accounts/password/change/": OWN,
    "accounts/password/set/": OWN,
    "accounts/password/reset/": anybody(),
    "accounts/password/reset/done/": anybody(),
    "accounts/password/reset/key/done/": anybody(),
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": anybody("=1", "=nonsense"),
    "accounts/login/code/confirm/": anybody(),
}
ADMIN_MODELS = {
    "accounts.ApiKey",
    "accounts.AuditEvent",
    "accounts.BillingEvent",
    "accounts.Deletion",
    "accounts.Erasure",
    "accounts.Notice",
    "accounts.Subscription",
    "accounts.User",
    "brokers.Account",
    "brokers.Connection",
    "brokers.Fill",
    "brokers.Lease",
    "brokers.Order",
    "brokers.Position",
    "risk.AccountRisk",
    "risk.Gate",
    "risk.GateChange",
    "risk.Lockout",
    "risk.RuleBook",
    "risk.RuleChange",
    "syncgroups.Activity",
    "syncgroups.CopiedOrder",
    "syncgroups.Drift",
    "syncgroups.Quarantine",
    "syncgroups.SyncGroup",
}
ADMIN_ACTIONS = {
    "accounts.User": {"end_sessions", "take_factor"},
}
"""What a superuser may do to rows that were ticked; models that are not here offer nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One address as it stands in the URL conf, and the names of what fills it."""

    route: str
    pattern: URLPattern
    prefixes: tuple[URLResolver, ...]

    @property
    def is_admins(self) -> bool:
        """Say whether the door is a page of the administration."""
        return self.route.startswith("admin/")


def doors() -> Iterator[Door]:
    """Yield every address of the URL conf."""
    yield from _walk(get_resolver().url_patterns, "", ())


def _walk(
    patterns: "list[URLPattern | URLResolver]", before: str, prefixes: tuple[URLResolver, ...]
) -> Iterator[Door]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route, (*prefixes, pattern))
        else:
            yield Door(route=route, pattern=pattern, prefixes=prefixes)

"""Makes the demo's owner, logins, connections and group. Every step may run again and changes nothing."""

import logging
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import requests
from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.billing import services
from accounts.core.plans import Plan
from accounts.models import Subscription, User
from brokers.models import Account, Connection, ConnectionStatus
from brokers.paper.services import ensure_login, register_client
from brokers.selectors import accounts_in_use
from brokers.services import consents
from risk.core.rules import Caps, DayLimit, Drawdown, Rules, Trail
from risk.services.gates import ensure_account_risk
from syncgroups.models import SyncGroup
from syncgroups.services import groups, guardrails, logins
from syncgroups.services.groups import FollowerSettings, GroupSettings
from tradehaven.domain.enums import Environment, SizingMode
from tradehaven.domain.errors import BrokerError

log = logging.getLogger(__name__)

EMAIL = "demo@tradehaven.example"
LEADER = "DEMO-LEADER"
LOGINS: dict[str, list[str]] = {
    "demo-one": [LEADER, "DEMO-ONE-A", "DEMO-ONE-B"],
    "demo-two": ["DEMO-TWO-A", "DEMO-TWO-B"],
}
OPENING = Decimal(50_000)
FOLLOWERS = {
    "DEMO-ONE-A": FollowerSettings(),
    "DEMO-ONE-B": FollowerSettings(ratio=Decimal("0.5")),
    "DEMO-TWO-A": FollowerSettings(ratio=Decimal(2), max_contracts=6),
    "DEMO-TWO-B": FollowerSettings(sizing=SizingMode.FIXED, fixed_qty=1),
}
RULES = {
    "DEMO-ONE-A": Rules(
        daily_loss=DayLimit(amount=Decimal(2_500)),
        drawdown=Drawdown(trail=Trail.END_OF_DAY, amount=Decimal(5_000), start=OPENING),
    ),
    "DEMO-TWO-A": Rules(daily_loss=DayLimit(amount=Decimal(4_000)), caps=Caps(account=12)),
}
TIMEOUT = 10


class ConsentError(BrokerError):
    """The demo could not get through the exchange's consent page."""


def seed(password: str) -> SyncGroup:
    """Make everything that is missing; return the running group. The exchange must be up."""
    for name, accounts in LOGINS.items():
        ensure_login(name=name, password=password, accounts=[(account, OPENING) for account in accounts])
    place = settings.BROKERS[Environment.PAPER]
    register_client(
        client_id=place["client_id"],
        client_secret=place["client_secret"],
        redirect_uris=[settings.SITE_URL.rstrip("/") + reverse("syncgroups:connect-callback")],
        name="TradeHaven",
    )
    owner = _owner(password)
    if not Subscription.objects.filter(owner=owner).exists():
        services.choose_plan(owner, Plan.PROFESSIONAL, used=accounts_in_use(owner.pk), now=timezone.now())
    for name in LOGINS:
        found = Connection.objects.filter(owner=owner, name=name, environment=Environment.PAPER).first()
        if found is None or found.status == ConnectionStatus.DISCONNECTED:
            _connect(owner, name, password)
    return _group(owner)


def _owner(password: str) -> User:
    owner = User.objects.filter(email=EMAIL).first()
    if owner is None:
        owner = User.objects.create_user(EMAIL, password, display_name="Demo")
    elif not owner.check_password(password):
        owner.set_password(password)
        owner.save(update_fields=["password"])
    EmailAddress.objects.update_or_create(
        user=owner, email=EMAIL, defaults={"verified": True, "primary": True}
    )
    return owner


def _connect(owner: User, name: str, password: str) -> None:
    """Bring a login in through the consent page, as a browser would."""
    address, state = consents.begin_connect(owner, Environment.PAPER)
    form = {"name": name, "password": password, "decision": "allow"}
    answer = requests.post(address, data=form, allow_redirects=False, timeout=TIMEOUT)
    code = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("code")
    if not code:
        raise ConsentError(f"the consent page answered {answer.status_code} without a code for {name}")
    logins.finish_connect(owner, state, code[0])


def _group(owner: User) -> SyncGroup:
    accounts = {account.name: account for account in Account.objects.filter(connection__owner=owner)}
    group = SyncGroup.objects.filter(owner=owner, leader=accounts[LEADER]).first()
    if group is None:
        group = groups.create_group(
            owner, leader=accounts[LEADER], settings=GroupSettings(name="Demo: index futures")
        )
        for name, chosen in FOLLOWERS.items():
            groups.set_follower(group, account=accounts[name], settings=chosen)
        for name, rules in RULES.items():
            book = ensure_account_risk(accounts[name], owner.pk).book
            guardrails.change(book=book, wished=rules, by=owner)
        groups.activate(group)
    return group

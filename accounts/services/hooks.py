"""Making, switching and removing web hooks out (DASH-10)."""

import secrets
from collections.abc import Collection, Iterator

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts import audit
from accounts.access import require_verified
from accounts.core.hooks import SECRET_BYTES, SECRET_PREFIX, target
from accounts.models import HookMessage, User, Webhook
from accounts.notify import hooks
from tradehaven.domain.enums import AuditAction, NoticeKind
from tradehaven.domain.errors import InvalidInput
from tradehaven.sealing import VaultError, is_current, reseal, seal

MOST_HOOKS = 10


@transaction.atomic
def make_hook(
    *,
    owner: User,
    name: str,
    url: str,
    kinds: Collection[NoticeKind],
    request: HttpRequest | None = None,
) -> tuple[Webhook, str]:
    """Make a hook; its secret is returned this once. Raise `InvalidInput` naming the field."""
    require_verified(owner)
    target(url, may_be_plain=settings.WEBHOOKS_MAY_REACH_PRIVATE)
    if not kinds:
        raise InvalidInput("kinds", "Choose at least one thing to be told of.")
    # One at a time for each person, so that neither the number nor a name is passed by two clicks at once.
    User.objects.select_for_update().get(pk=owner.pk)
    mine = Webhook.objects.filter(owner=owner)
    if mine.count() >= MOST_HOOKS:
        raise InvalidInput("name", f"You have {MOST_HOOKS} web hooks; remove one that is not needed.")
    if mine.filter(name=name).exists():
        raise InvalidInput("name", "A web hook has this name already; choose another.")
    hook = Webhook.objects.create(owner=owner, name=name, url=url, kinds=sorted(kinds))
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    hook.secret = seal(secret, subject=hooks.subject_of(hook.pk))
    hook.save(update_fields=["secret"])
    audit.record(
        owner=owner, actor=owner, action=AuditAction.HOOK_MADE, subject=f"{name}, {url}", request=request
    )
    return hook, secret


@transaction.atomic
def remove_hook(*, hook: Webhook, actor: User, request: HttpRequest | None = None) -> None:
    """Remove a hook with what waits for it."""
    audit.record(
        owner=hook.owner, actor=actor, action=AuditAction.HOOK_REMOVED, subject=str(hook), request=request
    )
    hook.delete()


@transaction.atomic
def switch_on(*, hook: Webhook, actor: User, request: HttpRequest | None = None) -> None:
    """Switch on a hook that was switched off because nothing arrived; what was given up stays so."""
    Webhook.objects.filter(pk=hook.pk).update(active=True, off_because="", failures=0)
    audit.record(
        owner=hook.owner, actor=actor, action=AuditAction.HOOK_CHANGED, subject=f"{hook} on", request=request
    )


def send_test(*, hook: Webhook) -> HookMessage:
    """Send a message that tells of nothing, so that its receiver can be tried."""
    with transaction.atomic():
        return hooks.write(hook, None, subject="A test", text="This message tells of nothing.")


def reseal_hooks() -> Iterator[bool | None]:
    """Yield for each secret: True when it was sealed anew, False when it need not, None when it is shut."""
    for hook in Webhook.objects.order_by("pk").iterator(chunk_size=200):
        if is_current(hook.secret):
            yield False
            continue
        try:
            fresh = reseal(hook.secret, subject=hooks.subject_of(hook.pk))
        except VaultError:
            yield None
            continue
        yield Webhook.objects.filter(pk=hook.pk, secret=hook.secret).update(secret=fresh) == 1

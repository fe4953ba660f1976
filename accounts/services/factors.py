"""Second factors outside of their owners' own pages: support takes one away, keys are renewed."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from accounts.models import FactorDevice, User
from accounts.notify.letters import letter


@transaction.atomic
def remove_factor(*, user: User) -> bool:
    """Take a person's second factor and recovery codes away and mail them so; say whether there was one."""
    removed = Authenticator.objects.filter(user_id=user.pk).delete()[0]
    FactorDevice.objects.filter(user_id=user.pk).delete()
    User.objects.filter(pk=user.pk).update(factor_for_live=False)
    if removed:
        text = "Our support has removed it, as you asked. Your password alone opens the account now."
        mail = letter(subject="The second factor was removed", text=text, to=user.email)
        transaction.on_commit(lambda: mail.send(fail_silently=True))
    return bool(removed)


def reseal() -> int:
    """Seal all secrets of second factors with the active key; return how many. May run twice."""
    adapter, done = get_adapter(), 0
    for pk in list(Authenticator.objects.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
            name = next((key for key in ("secret", "seed") if factor and key in factor.data), None)
            if factor is None or name is None:
                continue
            factor.data[name] = adapter.encrypt(adapter.decrypt(factor.data[name]))
            factor.save(update_fields=["data"])
            done += 1
    return done

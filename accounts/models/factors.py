"""The second factor as django-otp sees it. Secrets are allauth's, sealed; here is what outlives a cache."""

import hmac

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.db import models
from django_otp.models import Device, ThrottlingMixin


class FactorDevice(ThrottlingMixin, Device):  # type: ignore[misc]  # the library ships no types
    """One person's second factor: the last time step that was spent, and how often wrong codes came.

    allauth remembers spent codes in the cache for one step only, while it accepts them for three.
    """

    last_step = models.BigIntegerField(default=-1)
    used: Authenticator | None = None

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], name="one_factor_per_person")]

    def get_throttle_factor(self) -> int:
        """Return the seconds to wait after a first wrong code; each further one doubles them."""
        return int(settings.OTP_THROTTLE_FACTOR)

    def verify_token(self, token: str) -> bool:
        """Spend a code of the app or a recovery code; refuse while throttled. Call it with the row locked."""
        if not self.verify_is_allowed()[0]:
            return False
        for factor in Authenticator.objects.filter(user_id=self.user_id).order_by("-type"):
            if self._spend(factor, token.replace(" ", "").replace("-", "")):
                self.used = factor
                self.throttle_reset()
                return True
        self.throttle_increment()
        return False

    def _spend(self, factor: Authenticator, token: str) -> bool:
        if factor.type == Authenticator.Type.RECOVERY_CODES:
            return bool(factor.wrap().validate_code(token))
        step = matching_step(decrypt(factor.data["secret"]), token)
        if step is None or step <= self.last_step:
            return False
        self.last_step = step
        return True


def matching_step(secret: str, token: str) -> int | None:
    """Return the time step, around now, whose code was given; None for a wrong code."""
    for step in yield_hotp_counters_from_time():
        if hmac.compare_digest(format_hotp_value(hotp_value(secret, step)).encode(), token.encode()):
            return int(step)
    return None

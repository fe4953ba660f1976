"""People. A user is known by an e-mail address; there are no user names."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models

from accounts.core.look import Colours, Layout, Theme
from tradehaven.db import enum_field


class UserManager(BaseUserManager["User"]):
    """Makes users from an address and a password."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a user who may log in."""
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create an operator, whose address counts as confirmed: who has a shell needs no mailed link."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **extra)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class User(AbstractUser):  # type: ignore[django-manager-missing]  # of FactorDevice, which has no types
    """A person. `time_zone` is an IANA name; every time that this person sees is in it."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=80, blank=True)
    time_zone = models.CharField(max_length=64, default="America/Chicago")
    delete_after = models.DateTimeField(null=True, blank=True)
    factor_for_live = models.BooleanField(default=False, db_default=False)
    tell_sync_failures = models.BooleanField(
        "Copying fails or a login is lost", default=True, db_default=True
    )
    tell_guardrails = models.BooleanField(
        "A guardrail or the kill switch stops copying", default=True, db_default=True
    )
    tell_daily_summary = models.BooleanField(
        "Summary of the day, after the close", default=False, db_default=False
    )
    theme = enum_field(Theme, default=Theme.SYSTEM, db_default=Theme.SYSTEM)
    colours = enum_field(
        Colours, verbose_name="Gains and losses", default=Colours.GREEN_RED, db_default=Colours.GREEN_RED
    )
    layout = enum_field(
        Layout, verbose_name="Accounts on the cockpit", default=Layout.AUTO, db_default=Layout.AUTO
    )
    hide_values = models.BooleanField("Hide amounts of money", default=False, db_default=False)
    sounds = models.BooleanField("Play a sound at warnings and alarms", default=False, db_default=False)
    desktop_notices = models.BooleanField(
        "Show warnings and alarms as desktop notices", default=False, db_default=False
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
    objects = UserManager()  # type: ignore[assignment,misc]

    def __str__(self) -> str:
        """Return the name that the user chose, or the address."""
        return self.display_name or self.email

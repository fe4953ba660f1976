"""People for tests, with an address that is confirmed unless a test says otherwise."""

from typing import Any

from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from factory.declarations import Sequence
from factory.django import DjangoModelFactory

from accounts.models import FactorDevice, User


class UserFactory(DjangoModelFactory[User]):
    """A person who may connect and trade."""

    class Meta:
        model = User

    email = Sequence(lambda number: f"person{number}@example.org")
    display_name = Sequence(lambda number: f"Person {number}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, verified: bool = True, **kwargs: Any) -> User:
        user: User = super()._create(model_class, *args, **kwargs)
        if verified:
            confirm(user)
        return user


def confirm(user: User) -> None:
    """Confirm a person's address, as following the mailed link does."""
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def show_factor(client: Client, user: User) -> None:
    """Make a browser's session one in which the person has just entered a code."""
    device, _ = FactorDevice.objects.update_or_create(user=user, defaults={"confirmed": True})
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session["factor_shown"] = {"user": user.pk, "at": timezone.now().timestamp()}
    session.save()

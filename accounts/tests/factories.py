"""People for tests, with an address that is confirmed unless a test says otherwise."""

import factory
from allauth.account.models import EmailAddress

from accounts.models import User


class UserFactory(factory.django.DjangoModelFactory):
    """A person who may connect and trade."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    display_name = factory.Sequence(lambda number: f"Person {number}")

    @factory.post_generation
    def verified(self, create: bool, extracted: bool | None, **_: object) -> None:
        """Confirm the address."""
        if create and extracted is not False:
            confirm(self)


def confirm(user: User) -> None:
    """Confirm a person's address, as following the mailed link does."""
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )

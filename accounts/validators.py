"""The password rule that the product promises (ACC-01): four classes of characters."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class CharacterClassValidator:
    """Asks for an upper-case and a lower-case letter, a digit and a special character."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` naming what is missing."""
        missing = [
            name
            for name, found in (
                (_("an upper-case letter"), any(c.isupper() for c in password)),
                (_("a lower-case letter"), any(c.islower() for c in password)),
                (_("a digit"), any(c.isdigit() for c in password)),
                (_("a special character"), any(not c.isalnum() for c in password)),
            )
            if not found
        ]
        if missing:
            raise ValidationError(
                _("The password lacks %(missing)s."),
                code="password_classes",
                params={"missing": ", ".join(missing)},
            )

    def get_help_text(self) -> str:
        """Return the rule as the page shows it."""
        return _("At least one upper-case and one lower-case letter, one digit and one special character.")

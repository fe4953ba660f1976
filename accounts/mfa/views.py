"""Pages of the second factor where allauth's own do not do: the removal, which asks for a code here."""

from typing import Any

from allauth.mfa.totp.views import DeactivateTOTPView


class RemoveAppView(DeactivateTOTPView):  # type: ignore[misc]  # the library ships no types
    """Removal of the app, with a code."""

    def get_form_kwargs(self) -> dict[str, Any]:
        """Leave the form blank until something was typed: the library's has nothing to type."""
        found: dict[str, Any] = super().get_form_kwargs()
        if self.request.method != "POST":
            found["data"] = None
        return found


remove_app = RemoveAppView.as_view()

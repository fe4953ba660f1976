"""The operators' door: staff, and only in a session that has shown its second factor (OPS-01)."""

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_otp.admin import OTPAdminSite

from accounts.access import has_factor
from accounts.models import User


class OperatorSite(OTPAdminSite):  # type: ignore[misc]  # the library ships no types
    """Django's admin with the house's log-in in front of it; it has no log-in form of its own."""

    site_header = "TradeHaven operators"
    site_title = "TradeHaven operators"
    index_title = "What is kept"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Send whoever may not enter yet to what is missing: log-in, enrolment or a code."""
        asked = request.GET.get("next", "")
        target = (
            asked if url_has_allowed_host_and_scheme(asked, {request.get_host()}) else reverse("admin:index")
        )
        if not isinstance(request.user, User):
            return redirect_to_login(target, resolve_url("account_login"))
        if not (request.user.is_staff and request.user.is_active):
            raise PermissionDenied
        if self.has_permission(request):
            return redirect(target)
        missing = "mfa_reauthenticate" if has_factor(request.user) else "mfa_activate_totp"
        return redirect(f"{reverse(missing)}?{urlencode({'next': target})}")

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send operators to the page where everybody changes a password: it keeps rules and log."""
        return redirect("account_change_password")

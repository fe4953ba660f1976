"""Who calls: `Authorization: Bearer th_…` and nothing else, so no other site's page can call for a user."""

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, Throttled
from rest_framework.request import Request

from accounts.api.throttles import wait_after_refusal
from accounts.selectors.keys import key_by_text
from accounts.services.keys import note_refusal, note_use

if TYPE_CHECKING:
    from accounts.models import ApiKey, User

HOW = "Send your key as `Authorization: Bearer th_live_…`; keys are made under Settings, API keys."


class KeyRequest(Request):
    """A request behind a key, for the checker: DRF sets both."""

    user: "User"
    auth: "ApiKey"


class KeyAuthentication(BaseAuthentication):
    """Finds the owner of the key that was sent."""

    def authenticate(self, request: Request) -> "tuple[User, ApiKey]":
        """Return owner and key; raise for a request without one, so that no view forgets to ask."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not text:
            raise NotAuthenticated(f"This needs an API key. {HOW}")
        key = key_by_text(text.strip(), timezone.now()) if scheme.lower() == "bearer" else None
        if key is None:
            note_refusal(text=text.strip(), request=request._request)
            seconds = wait_after_refusal(request._request)
            if seconds:
                raise Throttled(seconds)
            raise AuthenticationFailed(f"This key is unknown, revoked or expired. {HOW}")
        note_use(key=key, request=request._request, now=timezone.now())
        return key.owner, key

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, which makes a refusal a 401."""
        return 'Bearer realm="TradeHaven"'

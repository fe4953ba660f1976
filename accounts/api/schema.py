"""What the OpenAPI document says of every operation besides what its view says: the key and the errors."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from accounts.api.errors import ErrorBody

READING = {
    "400": "Something that was sent is wrong; `fields` says what.",
    "401": "The key is missing, unknown, revoked or expired.",
    "403": "The key's scope or the person's standing does not cover this.",
    "404": "There is no such thing, or it is not yours.",
    "429": "Too many calls; `Retry-After` says for how many seconds to wait.",
}
CHANGING = READING | {
    "409": "The `Idempotency-Key` stands for another request, or for one that is still on its way.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "503": "The engine or the broker is not there; nothing was done.",
}


class Schema(AutoSchema):
    """Describes an operation and all ways in which it can fail."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction=direction)
        failures = READING if self.method in ("GET", "HEAD") else CHANGING
        for code, means in failures.items():
            if code not in bodies:
                described = OpenApiResponse(ErrorBody, means)
                bodies[code] = self._get_response_for_code(described, code)  # type: ignore[no-untyped-call]
        return bodies


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its registry is untyped
    """Says in the schema how a key is sent."""

    target_class = "accounts.api.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme as OpenAPI writes it."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "th_live_… or th_paper_…"}

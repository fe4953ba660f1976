"""What every answer says to browsers and to caches, beside the content policy that django-csp writes.

The permissions policy gives up what no page uses. What a signed-in person sees stays out of every cache
(ASVS 14.3.2); static files are another server's matter. Programs that send a key without TLS are told so,
not sent on: a redirect would have them give the key away twice (ASVS 4.1.2).
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

UNUSED = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
PERMISSIONS = ", ".join(f"{feature}=()" for feature in UNUSED)
API = "/api/"


class HeadersMiddleware:
    """Adds the headers, and refuses API calls in the clear where the product runs behind TLS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the headers."""
        in_the_clear = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if in_the_clear and request.path.startswith(API):
            response: HttpResponse = _use_tls()
        else:
            response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response


def _use_tls() -> HttpResponse:
    text = "Call this address by https. The key you sent came in the clear: revoke it and make another."
    return JsonResponse({"code": "tls_required", "message": text, "fields": {}}, status=403)

"""Types of requests, for views: who asks, and whether htmx does."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import User


class UserRequest(HttpRequest):
    """A request behind `login_required`."""

    user: User
    htmx: HtmxDetails

"""Sends the confirmation link again, and says the same to everybody who asks."""

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.core import ratelimit
from django.http import HttpRequest


def send_link_again(*, email: str, request: HttpRequest) -> bool:
    """Mail the link once more if the address waits for it; say whether this place may go on asking.

    Nothing in the answer depends on the address: unknown, confirmed already and asked too soon look alike.
    """
    if not ratelimit.consume(request, action="reset_password", key=f"link|{email.lower()}"):
        return False
    waiting = EmailAddress.objects.filter(email__iexact=email, verified=False).select_related("user").first()
    if waiting is not None and waiting.user.is_active:
        send_verification_email_to_address(request, waiting)
    return True

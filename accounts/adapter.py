"""What TradeHaven does its own way in allauth's flows: throttling by place, mails in the house's frame."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.template.loader import render_to_string

from accounts.core.devices import device
from accounts.notify.letters import letter

log = logging.getLogger(__name__)


class HouseAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library ships no types
    """allauth as this house runs it."""

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Five wrong passwords close the door for five minutes to the place they came from, and only to it:
        # were the address alone the key, anybody could keep its owner out by guessing.
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}|{self.get_client_ip(request)}"

    def get_http_user_agent(self, request: HttpRequest) -> str:
        """Return the browser in a few words, for mails."""
        return device(super().get_http_user_agent(request))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail; a closed post office is logged: an error page would tell which addresses are known."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            log.exception("a mail was not sent: %s", template_prefix)

    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMultiAlternatives:
        """Return one of allauth's mails in text and HTML."""
        subject = render_to_string(f"{template_prefix}_subject.txt", context)
        text = render_to_string(f"{template_prefix}_message.txt", context, self.request).strip()
        return letter(subject=" ".join(subject.split()), text=text, to=email)

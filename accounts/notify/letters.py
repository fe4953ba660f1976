"""Turns words into a mail. The HTML is the text in the house's frame, so that the two always agree."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


def letter(*, subject: str, text: str, to: str) -> EmailMultiAlternatives:
    """Return a mail in text and HTML; paragraphs are divided by empty lines, addresses become links."""
    mail = EmailMultiAlternatives(subject, text, settings.DEFAULT_FROM_EMAIL, [to])
    mail.attach_alternative(html(subject, text), "text/html")
    return mail


def html(subject: str, text: str) -> str:
    """Return the text as a page for mail programs."""
    return render_to_string("mail/letter.html", {"subject": subject, "text": text})

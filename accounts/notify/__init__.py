"""Mails to people. `tell` is the door: it asks what the person chose, writes a row, sends after commit.

A mail's words stand in `templates/mail/notices/<kind>.txt`, its first line being the subject.
"""

from accounts.notify.outbox import TASK, deliver, due, tell

__all__ = ["TASK", "deliver", "due", "tell"]

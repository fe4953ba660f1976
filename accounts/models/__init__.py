"""What is kept about people."""

from accounts.models.audit import AuditEvent
from accounts.models.notices import Notice
from accounts.models.people import User

__all__ = ["AuditEvent", "Notice", "User"]

"""What is kept about people."""

from accounts.models.answers import StoredAnswer
from accounts.models.audit import AuditEvent
from accounts.models.keys import ApiKey
from accounts.models.people import User

__all__ = ["ApiKey", "AuditEvent", "StoredAnswer", "User"]

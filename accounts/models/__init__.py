"""What is kept about people."""

from accounts.models.people import User

__all__ = ["User"]

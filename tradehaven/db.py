"""Model parts that every app shares: choices from an enum, money columns, rows that are never edited."""

from enum import StrEnum
from typing import Any, NoReturn

from django.db import DatabaseError, InterfaceError, connection, models

DATABASE_AWAY = (DatabaseError, InterfaceError)
"""What a query raises while the database cannot be reached; the second is no kind of the first."""


def choices(enum: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the choices of a column from the enum that is its vocabulary."""
    return [(member.value, member.value.replace("_", " ").capitalize()) for member in enum]


def enum_field(enum: type[StrEnum], **options: Any) -> "models.CharField[str, str]":
    """Return a text column that holds one of an enum's values."""
    return models.CharField(max_length=32, choices=choices(enum), **options)


def usd_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column of exact USD; wide enough for any account, fine enough for any fee."""
    return models.DecimalField(max_digits=24, decimal_places=8, **options)


def end_if_idle(seconds: int) -> None:
    """Let the server undo this transaction when its program says nothing for so long, because it was frozen.

    Without it a stopped process keeps its locks, and whoever should take its place waits for them.
    """
    with connection.cursor() as cursor:
        limit = f"{seconds}s"
        cursor.execute("select set_config('idle_in_transaction_session_timeout', %s, true)", [limit])


class AppendOnlyError(TypeError):
    """Somebody tried to edit or delete a row that is a record of what happened."""


class AppendOnly(models.Model):
    """Base of records: a row is written once, and neither edited nor deleted by the application."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row; a second save is a mistake."""
        if self.pk is not None and not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} {self.pk} is a record and cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Refuse: records go only with the retention task, by query."""
        raise AppendOnlyError(f"{type(self).__name__} {self.pk} is a record and cannot be deleted")

"""What the admin pages of several apps share: looking without touching, and a line for whatever operators do.

The line stands in the log of the person concerned, who reads it there: operators have no way around it.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import audit
from accounts.exports import owner_of
from accounts.models import User
from tradehaven.domain.enums import AuditAction


def tell_owner(request: HttpRequest, row: Model, action: AuditAction, subject: str = "") -> None:
    """Record what an operator did, with the person whose row it is; rows of nobody have nobody to tell."""
    owner = owner_of(row)
    if owner is not None and isinstance(request.user, User):
        said = subject or f"{row._meta.verbose_name} {row}"
        audit.record(owner=owner, actor=request.user, action=action, subject=said, request=request)


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Pages on which operators change things, each change recorded with its owner."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Record a new row."""
        tell_owner(request, obj, AuditAction.OPERATOR_ADDED)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Record a change, with the names of the fields."""
        fields = [
            name
            for part in message
            if isinstance(part, dict)
            for name in part.get("changed", {}).get("fields", [])
        ]
        subject = f"{obj._meta.verbose_name} {obj}: {', '.join(fields)}" if fields else ""
        tell_owner(request, obj, AuditAction.OPERATOR_CHANGED, subject)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        """Record rows that are about to go."""
        for row in queryset:
            tell_owner(request, row, AuditAction.OPERATOR_DELETED)
        return super().log_deletions(request, queryset)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that operators may look at and not touch: the engine or the records own them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come from the engine."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows say what happened."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows go with retention only."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show one row, and record with its owner that an operator looked."""
        row = self.get_object(request, object_id)
        if row is not None and self.has_view_permission(request, row):
            tell_owner(request, row, AuditAction.OPERATOR_LOOKED)
        return super().change_view(request, object_id, form_url, extra_context)

"""People, for operators: who they are and how they stand. No hash, no secret, and no way to become them."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.exports import parts
from accounts.models import (
    ApiKey,
    AuditEvent,
    BillingEvent,
    Deletion,
    Erasure,
    FactorDevice,
    Notice,
    Subscription,
    User,
)
from accounts.services.factors import remove_factor
from accounts.services.sessions import revoke_all
from tradehaven.admin_parts import AuditedAdmin, ReadOnlyAdmin, tell_owner
from tradehaven.domain.enums import AuditAction

LATEST = 20

# The libraries' own pages would show sealed secrets and session keys, and change them without a word.
admin.site.unregister([Authenticator, UserSession, EmailAddress, Group])


@admin.register(User)
class PersonAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Users by e-mail address. Passwords are set by their owners alone, and accounts go at their wish."""

    ordering = ("email",)
    list_display = (
        "email",
        "display_name",
        "confirmed",
        "factor",
        "is_active",
        "is_staff",
        "delete_after",
        "support",
    )
    list_filter = (
        "is_active",
        "is_staff",
        "factor_for_live",
        ("delete_after", admin.EmptyFieldListFilter),
        "date_joined",
    )
    search_fields = ("email", "display_name")
    date_hierarchy = "date_joined"
    readonly_fields = ("last_login", "date_joined", "delete_after", "factor_for_live", "support")
    filter_horizontal = ("user_permissions",)
    fieldsets = (
        (None, {"fields": ("email", "support")}),
        ("Profile", {"fields": ("display_name", "time_zone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined", "delete_after", "factor_for_live")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)
    actions = ("end_sessions", "take_factor")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        """Add what the list shows of other tables, in the same query."""
        addresses = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
        devices = FactorDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        found: QuerySet[User] = super().get_queryset(request)
        return found.annotate(has_address=Exists(addresses), has_device=Exists(devices))

    @admin.display(boolean=True, description="Confirmed", ordering="has_address")
    def confirmed(self, person: Any) -> bool:
        """Say whether an address is confirmed."""
        return bool(person.has_address)

    @admin.display(boolean=True, description="2nd factor", ordering="has_device")
    def factor(self, person: Any) -> bool:
        """Say whether a second factor is enrolled."""
        return bool(person.has_device)

    @admin.display(description="Support")
    def support(self, person: User) -> str:
        """Link to what the person sees."""
        if person._state.adding:
            return ""
        return format_html(
            '<a href="{}">What they see</a>', reverse("admin:accounts_user_support", args=[person.pk])
        )

    @admin.action(description="End all sessions", permissions=["change"])
    def end_sessions(self, request: HttpRequest, people: "QuerySet[User]") -> None:
        """Log people out everywhere."""
        operator = request.user if isinstance(request.user, User) else None
        for person in people:
            ended = revoke_all(user=person, but=None, request=request, by=operator)
            tell_owner(request, person, AuditAction.OPERATOR_CHANGED, f"ended {ended} sessions")
        messages.success(request, f"{len(people)} people are logged out.")

    @admin.action(description="Remove the second factor (phone lost)", permissions=["change"])
    def take_factor(self, request: HttpRequest, people: "QuerySet[User]") -> None:
        """Let people in by password once more, after support knows who asks; they are told by mail."""
        taken = [person for person in people if not person.is_staff and remove_factor(user=person)]
        for person in taken:
            tell_owner(request, person, AuditAction.OPERATOR_CHANGED, "removed the second factor")
        messages.success(
            request, f"Second factor removed for {len(taken)} of {len(people)}; operators keep theirs."
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the support view."""
        view = self.admin_site.admin_view(self.support_view)
        return [path("<int:pk>/support/", view, name="accounts_user_support"), *super().get_urls()]

    def support_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the latest of everything that is a person's, as the export knows it, and record the look."""
        person = self.get_object(request, str(pk))
        if person is None:
            raise Http404
        if not self.has_view_permission(request, person):
            raise PermissionDenied
        tell_owner(request, person, AuditAction.OPERATOR_LOOKED, "the support view")
        shown = [(part, list(part.rows(pk).order_by("-pk")[:LATEST])) for part in parts()]
        page = {
            **self.admin_site.each_context(request),
            "person": person,
            "shown": shown,
            "title": f"Support: {person}",
        }
        return render(request, "admin/support.html", page)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Refuse: a forgotten password is set anew through a mailed link."""
        raise PermissionDenied

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: accounts go by their owner's wish, with grace and proof."""
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what to whose account."""

    list_display = ("at", "owner", "action", "subject", "actor", "address", "device")
    list_filter = ("action", ("actor", admin.EmptyFieldListFilter))
    list_select_related = ("owner", "actor")
    search_fields = ("owner__email", "subject", "address")
    date_hierarchy = "at"


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """Mails: what waits, what went out, what failed."""

    list_display = ("made_at", "owner", "kind", "subject", "attempts", "sent_at", "failure")
    list_filter = ("kind", ("sent_at", admin.EmptyFieldListFilter))
    list_select_related = ("owner",)
    search_fields = ("owner__email", "subject")


@admin.register(Deletion)
class DeletionAdmin(ReadOnlyAdmin):
    """Accounts that are gone, and how much went with them."""

    list_display = ("done_at", "person", "due_at", "__str__")
    search_fields = ("person",)


@admin.register(ApiKey)
class KeyAdmin(ReadOnlyAdmin):
    """Whose keys exist and when they were used; nobody but its owner makes or sees one."""

    list_display = ("name", "owner", "kind", "scope", "prefix", "created_at", "used_at", "revoked_at")
    list_filter = ("kind", "scope")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__email")
    exclude = ("secret_hash",)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Who has which plan, as the provider last said."""

    list_display = ("owner", "plan", "status", "cancels", "period_ends_at", "ended_at", "provider")
    list_filter = ("plan", "status", "provider")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "customer", "reference")


@admin.register(BillingEvent)
class BillingEventAdmin(ReadOnlyAdmin):
    """What the payment provider said, and whether it was believed."""

    list_display = ("said_at", "kind", "owner", "applied", "event_id")
    list_filter = ("kind", "applied")
    list_select_related = ("owner",)
    search_fields = ("event_id", "owner__email")


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """Proofs of what was deleted ninety days after a plan's end."""

    list_display = ("at", "owner", "__str__")
    list_select_related = ("owner",)

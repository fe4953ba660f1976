"""People, for operators."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.models import ApiKey, User
from tradehaven.admin_parts import ReadOnlyAdmin


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Users by e-mail address."""

    ordering = ("email",)
    list_display = ("email", "display_name", "is_active", "is_staff", "last_login")
    search_fields = ("email", "display_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Profile", {"fields": ("display_name", "time_zone")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)


@admin.register(ApiKey)
class KeyAdmin(ReadOnlyAdmin):
    """Whose keys exist and when they were used; nobody but its owner makes or sees one."""

    list_display = ("name", "owner", "kind", "scope", "prefix", "created_at", "used_at", "revoked_at")
    list_filter = ("kind", "scope")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__email")
    exclude = ("secret_hash",)

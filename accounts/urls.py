"""Addresses of people's own pages; logging in and out is allauth's."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from accounts.views import audit, data, entrance, hooks, keys, profile, reference, security

app_name = "accounts"
urlpatterns = [
    path("accounts/resend/", entrance.resend, name="resend"),
    path("accounts/password-rules/", entrance.password_rules, name="password-rules"),
    path("settings/profile/", profile.profile, name="profile"),
    path("settings/look/", profile.look, name="look"),
    path("settings/security/", security.security, name="security"),
    path("settings/security/sessions/<int:pk>/revoke/", security.revoke, name="revoke"),
    path("settings/security/sessions/revoke-others/", security.revoke_others, name="revoke-others"),
    path("settings/security/live-money/on/", security.live_money, {"on": True}, name="live-money-on"),
    path("settings/security/live-money/off/", security.live_money, {"on": False}, name="live-money-off"),
    path("settings/audit/", audit.audit_log, name="audit"),
    path("settings/data/", data.overview, name="data"),
    path("settings/data/export/", data.export, name="export"),
    path("settings/data/delete/", data.delete, name="delete"),
    path("settings/keys/", keys.key_list, name="keys"),
    path("settings/keys/new/", keys.make, name="key-make"),
    path("settings/keys/<int:pk>/revoke/", keys.revoke, name="key-revoke"),
    path("settings/webhooks/", hooks.hook_list, name="hooks"),
    path("settings/webhooks/new/", hooks.make, name="hook-make"),
    path("settings/webhooks/<int:pk>/test/", hooks.test, name="hook-test"),
    path("settings/webhooks/<int:pk>/on/", hooks.switch_on, name="hook-on"),
    path("settings/webhooks/<int:pk>/remove/", hooks.remove, name="hook-remove"),
    path("api/docs", reference.reference, name="api-docs"),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="api-schema"),
]

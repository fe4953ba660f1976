"""Addresses of people's own pages; logging in and out is allauth's."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from accounts.views import keys, profile, reference

app_name = "accounts"
urlpatterns = [
    path("settings/profile/", profile.profile, name="profile"),
    path("settings/keys/", keys.key_list, name="keys"),
    path("settings/keys/new/", keys.make, name="key-make"),
    path("settings/keys/<int:pk>/revoke/", keys.revoke, name="key-revoke"),
    path("api/docs", reference.reference, name="api-docs"),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="api-schema"),
]

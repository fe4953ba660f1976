"""Every address."""

from django.contrib import admin
from django.urls import include, path

from tradehaven import health

urlpatterns = [
    path("", include("analytics.urls")),
    path("", include("syncgroups.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.billing.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/factor/", include("accounts.mfa.urls")),
    path("admin/", admin.site.urls),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]

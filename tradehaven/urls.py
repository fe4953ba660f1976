"""Every address."""

from django.contrib import admin
from django.urls import include, path, re_path

from accounts.api.nowhere import Nowhere
from risk import panic
from tradehaven import health, public

urlpatterns = [
    path("", include("analytics.urls")),
    path("", include("syncgroups.urls")),
    path("", include("accounts.urls")),
    path("", include("accounts.billing.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/factor/", include("accounts.mfa.urls")),
    path("panic/", panic.press, name="panic"),
    path("admin/", admin.site.urls),
    path("welcome/", public.welcome, name="welcome"),
    path("guide/", public.guide, name="guide"),
    path("guide/<slug:slug>/", public.chapter, name="chapter"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    re_path(r"^api(?:/|$)", Nowhere.as_view(), name="api-nowhere"),
]
handler400 = "tradehaven.http_errors.bad_request"
handler500 = "tradehaven.http_errors.server_error"

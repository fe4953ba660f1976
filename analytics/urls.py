"""Addresses of the cockpit, of what it loads, and of what programs read."""

from django.urls import path

from analytics import api, views

app_name = "analytics"
urlpatterns = [
    path("", views.front, name="live"),
    path("equity/", views.equity, name="equity"),
    path("equity/points/", views.equity_points, name="equity-points"),
    path("gallery/", views.gallery, name="gallery"),
    path("status/", views.status, name="status"),
    path("activity/before/<int:before>/", views.older, name="older"),
    path("api/accounts", api.Accounts.as_view(), name="api-accounts"),
    path("api/trades", api.Trades.as_view(), name="api-trades"),
    path("api/pnl/snapshot", api.PnlSnapshot.as_view(), name="api-pnl"),
]

"""Addresses of the live page."""

from django.urls import path

from analytics import views

app_name = "analytics"
urlpatterns = [
    path("", views.live, name="live"),
    path("activity/before/<int:before>/", views.older, name="older"),
]

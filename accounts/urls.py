"""Addresses of people's own pages; logging in and out is allauth's."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [path("settings/profile/", views.profile, name="profile")]

"""Every socket address."""

from django.urls import path

from analytics.consumers import LiveConsumer
from syncgroups.consumers import ActivityConsumer

websocket_urlpatterns = [
    path("ws/live/", LiveConsumer.as_asgi()),
    path("ws/activity/", ActivityConsumer.as_asgi()),
]

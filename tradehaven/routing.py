"""Every socket address."""

from django.urls import path

from analytics.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]

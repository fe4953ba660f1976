"""What answers say to browsers and caches, and to a program that calls in the clear."""

from typing import Any

import pytest
from django.test import Client

from accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_pages_keep_scripts_frames_and_devices_out(client: Client) -> None:
    answer = client.get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "camera=()" in answer["Permissions-Policy"]
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_what_a_signed_in_person_sees_is_kept_by_nobody(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert "no-store" in client.get("/settings/profile/")["Cache-Control"]


def test_a_key_sent_in_the_clear_is_refused_and_not_sent_on(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/api/trades", headers={"Authorization": "Bearer th_live_x"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "tls_required"
    assert client.get("/settings/profile/").status_code == 301

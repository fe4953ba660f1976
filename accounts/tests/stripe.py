"""Stripe's side for tests: objects as they are sent, its signature scheme, and a small API on loopback."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

SECRET = "whsec_test_secret"
PRICES = {"starter": "price_starter", "professional": "price_pro", "enterprise": "price_ent"}


def subscription(owner: int | None, **said: Any) -> dict[str, Any]:
    """Return a subscription as the API and its messages carry it (version 2025 and later)."""
    price = said.pop("price", "price_pro")
    period = said.pop("period", 1_800_000_000)
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "customer": "cus_1",
        "cancel_at_period_end": False,
        "cancel_at": None,
        "ended_at": None,
        "items": {
            "object": "list",
            "data": [
                {
                    "id": "si_1",
                    "object": "subscription_item",
                    "price": {"id": price, "object": "price"},
                    "current_period_end": period,
                }
            ],
        },
        "metadata": {"owner": str(owner)} if owner is not None else {},
    } | said


def event(kind: str, said: dict[str, Any], *, created: int, number: str = "evt_1") -> bytes:
    """Return a message of Stripe about an object."""
    return json.dumps(
        {"id": number, "object": "event", "type": kind, "created": created, "data": {"object": said}}
    ).encode()


def sign(payload: bytes, at: int, secret: str = SECRET) -> str:
    """Return the header that Stripe sends: HMAC-SHA256 over the time, a dot and the body."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + payload, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()},v0=00"


class Api:
    """What the loopback API was asked, and what it answers by method and path."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.answers: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.url = ""

    def answer(self, method: str, path: str, body: dict[str, Any], status: int = 200) -> None:
        """Say what a path answers."""
        self.answers[(method, path)] = (status, body)


@contextmanager
def running_api() -> Iterator[Api]:
    """Run the API while the block runs."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = dict(parse_qsl(self.rfile.read(length).decode()))
            api.asked.append((self.command, self.path, sent))
            status, body = api.answers.get((self.command, self.path), (404, {"error": {"message": "?"}}))
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = _answer

        def log_message(self, *_args: Any) -> None:
            """Be quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

"""An unrelated client for conformance tests: `requests` and `websocket-client`, no code of ours."""

import json
from types import TracebackType
from typing import Any, Self

import requests
import websocket

from brokers.paper.testing import OPERATOR_TOKEN, PASSWORD, RunningExchange

SECONDS = 5


class Socket:
    """One WebSocket, read message by message."""

    def __init__(self, url: str) -> None:
        self._socket = websocket.create_connection(url, timeout=SECONDS)
        self._waiting: list[dict[str, Any]] = []
        self.first_frame = self._socket.recv()

    def send_raw(self, text: str) -> None:
        self._socket.send(text)

    def frame(self) -> str:
        """Return the next frame that is no heartbeat."""
        while (text := self._socket.recv()) == "h":
            continue
        return str(text)

    def message(self) -> dict[str, Any]:
        """Return the next message of the next array frame."""
        while not self._waiting:
            text = self.frame()
            assert text[0] == "a", text
            self._waiting = json.loads(text[1:])
        return self._waiting.pop(0)

    def until_now(self, number: int) -> list[list[dict[str, Any]]]:
        """Return the frames of messages that were under way, by asking for something behind them."""
        self.send_raw(f"auth/me\n{number}")
        found: list[list[dict[str, Any]]] = []
        while True:
            messages = json.loads(self.frame()[1:])
            if any(message.get("i") == number for message in messages):
                return found
            found.append(messages)

    def reply(self, number: int) -> dict[str, Any]:
        """Return the reply to a request, skipping events."""
        while True:
            message = self.message()
            if message.get("i") == number:
                return message

    def ask(self, endpoint: str, number: int, query: str = "", body: Any = None) -> Any:
        """Send a request and return the data of its reply."""
        text = "" if body is None else json.dumps(body)
        self.send_raw(f"{endpoint}\n{number}\n{query}\n{text}")
        return self.reply(number)["d"]

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the data of the next `count` props events."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            message = self.message()
            if message.get("e") == "props":
                found.append(message["d"])
        return found

    def until(self, entity_type: str, **members: Any) -> dict[str, Any]:
        """Return the first entity of a type that has these members, skipping what comes before."""
        while True:
            event = self.events(1)[0]
            entity: dict[str, Any] = event["entity"]
            if event["entityType"] == entity_type and members.items() <= entity.items():
                return entity

    def quiet(self, seconds: float = 0.3) -> bool:
        """Return whether nothing but heartbeats comes for a while."""
        if self._waiting:
            return False
        self._socket.settimeout(seconds)
        try:
            self._waiting = json.loads(self.frame()[1:])
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self._socket.settimeout(SECONDS)
        return False

    def close(self) -> None:
        self._socket.close()


class Client:
    """A logged-in user with REST and sockets."""

    def __init__(self, exchange: RunningExchange, name: str) -> None:
        self.exchange = exchange
        self.name = name
        self.session = requests.Session()
        body = {"name": name, "password": PASSWORD, "appId": "tests", "cid": 1, "sec": "x"}
        self.login = self.post("auth/accesstokenrequest", body)
        self.token: str = self.login["accessToken"]
        self.user_id: int = self.login["userId"]
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        self.accounts = {item["name"]: item["id"] for item in self.get("account/list")}
        self._sockets: list[Socket] = []

    def get(self, endpoint: str, **query: Any) -> Any:
        return self.session.get(f"{self.exchange.base_url}/{endpoint}", params=query, timeout=SECONDS).json()

    def status(self, endpoint: str, **query: Any) -> int:
        found = self.session.get(f"{self.exchange.base_url}/{endpoint}", params=query, timeout=SECONDS)
        return found.status_code

    def post(self, endpoint: str, body: Any) -> Any:
        return self.session.post(f"{self.exchange.base_url}/{endpoint}", json=body, timeout=SECONDS).json()

    def place(self, account: str = "A-1", **members: Any) -> Any:
        """Place an order: a market buy of one MESZ6 unless said otherwise."""
        order = {
            "accountSpec": account,
            "accountId": self.accounts[account],
            "action": "Buy",
            "symbol": "MESZ6",
            "orderQty": 1,
            "orderType": "Market",
            "isAutomated": True,
        }
        return self.post("order/placeorder", {**order, **members})

    def order(self, order_id: int) -> Any:
        return self.get("order/item", id=order_id)

    def cash(self, account: str = "A-1") -> Any:
        return self.post("cashBalance/getcashbalancesnapshot", {"accountId": self.accounts[account]})

    def position(self, account: str = "A-1") -> Any:
        found = self.get("position/deps", masterid=self.accounts[account])
        return found[0] if found else None

    def socket(self, *, sync: bool = True) -> Socket:
        """Open an authorised socket, with a user synchronisation unless said otherwise."""
        socket = Socket(self.exchange.socket_url)
        self._sockets.append(socket)
        socket.send_raw(f"authorize\n1\n\n{self.token}")
        assert socket.frame() == 'a[{"s":200,"i":1}]'
        if sync:
            socket.ask("user/syncrequest", 2, body={"users": [self.user_id]})
        return socket

    def operator(self, command: str, **members: Any) -> requests.Response:
        return requests.post(
            f"{self.exchange.root_url}/operator/{command}",
            json=members,
            headers={"X-Operator-Token": OPERATOR_TOKEN},
            timeout=SECONDS,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._sockets:
            socket.close()
        self.session.close()

"""Log-in with a password, renewal, and who am I (protocol 3.1, 3.2, 3.5)."""

from datetime import UTC, datetime

from brokers.paper.calls import Answer, Call, Handler, OpenHandler
from brokers.paper.codec import Json, instant
from brokers.paper.entities import User
from brokers.paper.exchange import Exchange
from brokers.paper.tokens import Caller

_WRONG = "Incorrect username or password. Please try again, noting that passwords are case-sensitive."
_PASSWORD_EXPIRES = datetime(2099, 1, 1, tzinfo=UTC)


async def access_token(exchange: Exchange, call: Call) -> Answer:
    """Log in with name and password; the API key members are not checked, any client may come."""
    given = call.body
    name, password = given.text("name"), given.text("password", 8192)
    if name is None or password is None:
        return Answer(status=400, payload="")
    login = await exchange.blocking(exchange.store.login, name, password)
    if login is None:
        return Answer(payload={"errorText": _WRONG})
    # Accounts made since the last log-in come to life here.
    exchange.admit(login)
    return Answer(payload=_tokens(exchange, login.user_id, login.name))


def renew(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Return fresh tokens of the same session."""
    user = exchange.state.records.need(User, caller.user_id)
    return Answer(payload=_tokens(exchange, user.id, user.name, caller.session_id))


def me(exchange: Exchange, call: Call, caller: Caller) -> Answer:
    """Return who the caller is."""
    user = exchange.state.records.need(User, caller.user_id)
    body = {
        "userId": user.id,
        "name": user.name,
        "fullName": user.name,
        "email": user.email,
        "emailVerified": True,
        "isTrial": False,
        "organizationName": "",
    }
    return Answer(payload=body)


OPEN_ACTIONS: dict[str, OpenHandler] = {"auth/accesstokenrequest": access_token}
ACTIONS: dict[str, Handler] = {"auth/renewaccesstoken": renew, "auth/me": me}


def _tokens(exchange: Exchange, user_id: int, name: str, session_id: int | None = None) -> Json:
    access, market_data, caller = exchange.tokens(user_id, session_id)
    return {
        "accessToken": access,
        "mdAccessToken": market_data,
        "expirationTime": instant(caller.expires),
        "passwordExpirationTime": instant(_PASSWORD_EXPIRES),
        "userStatus": "Active",
        "userId": user_id,
        "name": name,
        "hasLive": False,
        "hasFunded": False,
        "hasMarketData": True,
        "outdatedTaC": False,
        "outdatedLiquidationPolicy": False,
    }

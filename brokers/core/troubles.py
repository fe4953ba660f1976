"""What can go wrong on the way through a broker's consent page, and what helps. Pure: words only.

Each `Trouble` has one `Advice`; a page shows it. Words in braces are filled in by whoever met the trouble.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from tradehaven.domain.errors import (
    BrokerError,
    CredentialsRejected,
    ProtocolError,
    RateLimited,
    RequestRejected,
    Unavailable,
)


class Trouble(StrEnum):
    """How connecting a login failed."""

    NOT_SET_UP = "not_set_up"
    DENIED = "denied"
    STRANGE_STATE = "strange_state"
    STATE_OVER = "state_over"
    OTHER_PERSON = "other_person"
    CODE_OVER = "code_over"
    NO_ACCOUNTS = "no_accounts"
    TAKEN = "taken"
    PLAN_FULL = "plan_full"
    AWAY = "away"
    SILENT = "silent"
    CLOCK = "clock"
    CLIENT_REFUSED = "client_refused"
    NO_ACCESS = "no_access"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    OURS = "ours"


class Exit(StrEnum):
    """Where the page's main button leads."""

    AGAIN = "again"
    BILLING = "billing"
    BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What happened, in a title and a sentence, and what to do, in steps."""

    title: str
    text: str
    steps: tuple[str, ...]
    exit: Exit = Exit.AGAIN

    def filled(self, **facts: object) -> "Advice":
        """Return the advice with its facts."""
        return replace(
            self, text=self.text.format(**facts), steps=tuple(step.format(**facts) for step in self.steps)
        )


_RIGHT_LOGIN = "On the broker's page, log in with the login whose accounts you want to bring in."
_WAIT = "Wait a minute, then connect again."

ADVICE: dict[Trouble, Advice] = {
    Trouble.NOT_SET_UP: Advice(
        title="This environment is not set up",
        text="No client id is configured for {environment}, so no broker would know who asks.",
        steps=(
            "An operator sets {setting} and its secret, and restarts the web processes.",
            "Until then the paper exchange works without any registration.",
        ),
        exit=Exit.BACK,
    ),
    Trouble.DENIED: Advice(
        title="You said no",
        text="You did not give TradeHaven access, so nothing was connected and nothing was stored.",
        steps=(
            "To connect after all, begin again and choose Authorize on the broker's page.",
            "All four permissions are needed: without order:write followers cannot be traded.",
        ),
    ),
    Trouble.STRANGE_STATE: Advice(
        title="This authorization began elsewhere",
        text="The authorization was not begun in this browser, so it was not accepted.",
        steps=(
            "Begin under Connected accounts and finish in the same browser and profile.",
            "Clear the cookies of this site and of the broker's, log in again, and let both be kept.",
            "If a pop-up blocker or a VPN comes in between, switch it off for these two sites.",
        ),
    ),
    Trouble.STATE_OVER: Advice(
        title="The authorization is over",
        text="The authorization was used before or is older than ten minutes.",
        steps=(
            "If the login is on the list already, you are done: the page was only loaded twice.",
            "If not, begin again and finish within ten minutes.",
        ),
    ),
    Trouble.OTHER_PERSON: Advice(
        title="This authorization belongs to somebody else",
        text="The authorization was begun by somebody else in this browser.",
        steps=("Begin again from your own page.",),
    ),
    Trouble.CODE_OVER: Advice(
        title="The broker's code was not accepted",
        text="The broker did not hand out a token: its code is good once and for about a minute.",
        steps=(
            "Begin again, and do not reload the page while it comes back.",
            "If it happens again, look at the server's clock and network: the code may arrive too late.",
        ),
    ),
    Trouble.NO_ACCOUNTS: Advice(
        title="The login has no account",
        text="The login {login} has no open account, so there was nothing to bring in.",
        steps=(
            _RIGHT_LOGIN,
            "Check with the broker that API access is enabled; older and some evaluation accounts lack it.",
            "A new evaluation may need a moment: wait 30 seconds and connect again.",
        ),
    ),
    Trouble.TAKEN: Advice(
        title="The login is connected elsewhere",
        text="The login {login} is connected by another TradeHaven user. It can be led from one place only.",
        steps=(
            "If that is you, disconnect it there first, then connect it here.",
            "If it is not, change its password at the broker and withdraw TradeHaven's access there.",
        ),
        exit=Exit.BACK,
    ),
    Trouble.PLAN_FULL: Advice(
        title="Your plan is full",
        text="The login {login} has {more} accounts; {plan} holds {limit} and {used} are in use. "
        "Nothing was connected.",
        steps=(
            "Change to {fitting}, then connect the login again.",
            "Or disconnect a login that you do not need; its groups, limits and history stay.",
        ),
        exit=Exit.BILLING,
    ),
    Trouble.AWAY: Advice(
        title="The broker does not answer",
        text="The broker could not be reached, so nothing was connected.",
        steps=(
            _WAIT,
            "Look at the broker's status page; the exchange rests from 16:00 to 17:00 Chicago.",
            "If you use a VPN, switch it off: some of its addresses are blocked.",
        ),
    ),
    Trouble.SILENT: Advice(
        title="The broker wants silence",
        text="The broker takes no calls of {login} until {until}: too many were made.",
        steps=("Connect again after that time.", "Close other programs that use the same login."),
        exit=Exit.BACK,
    ),
    Trouble.CLOCK: Advice(
        title="This server's clock is wrong",
        text="This server's clock differs from the broker's by {skew}, so tokens would end unnoticed.",
        steps=(
            "An operator lets the server take its time from a time service (NTP), and restarts nothing else.",
            "Then connect again.",
        ),
    ),
    Trouble.CLIENT_REFUSED: Advice(
        title="The broker does not know this application",
        text="The broker refused the client id or secret that are configured for {environment}.",
        steps=(
            "An operator compares {setting}, its secret and the return address {address} with the "
            "registration at the broker.",
        ),
        exit=Exit.BACK,
    ),
    Trouble.NO_ACCESS: Advice(
        title="The login may not be used by programs",
        text="The broker let you in but does not let programs read this login.",
        steps=(
            "Ask the broker to enable API access; older and some evaluation accounts lack it.",
            _RIGHT_LOGIN,
            "Authorize all permissions that are asked for.",
        ),
    ),
    Trouble.UNREADABLE: Advice(
        title="The broker's answer makes no sense",
        text="The broker did not hand out a token: what it answered could not be read.",
        steps=(_WAIT, "If it goes on, tell support the time of this attempt."),
    ),
    Trouble.REFUSED: Advice(
        title="The broker said no",
        text="The broker did not hand out a token.",
        steps=(_RIGHT_LOGIN, _WAIT, "If it goes on, tell support the time of this attempt."),
    ),
    Trouble.OURS: Advice(
        title="That is our fault",
        text="The server cannot remember authorizations at the moment, so none was begun or taken in.",
        steps=(_WAIT, "An operator looks at Redis: see the readiness page and the logs."),
    ),
}
"""What happened and what to do, for each trouble."""

_REDIRECTS = {
    "access_denied": Trouble.DENIED,
    "server_error": Trouble.AWAY,
    "temporarily_unavailable": Trouble.AWAY,
    "unauthorized_client": Trouble.CLIENT_REFUSED,
    "invalid_client": Trouble.CLIENT_REFUSED,
    "invalid_request": Trouble.CLIENT_REFUSED,
    "invalid_scope": Trouble.CLIENT_REFUSED,
    "unsupported_response_type": Trouble.CLIENT_REFUSED,
}
_CODES = {
    "invalid_grant": Trouble.CODE_OVER,
    "invalid_client": Trouble.CLIENT_REFUSED,
    "unauthorized_client": Trouble.CLIENT_REFUSED,
    "invalid_request": Trouble.CLIENT_REFUSED,
}


def trouble_of_redirect(error: str) -> Trouble:
    """Return what the broker's consent page meant by the `error` it sent back (RFC 6749, 4.1.2.1)."""
    return _REDIRECTS.get(error, Trouble.REFUSED)


def trouble_of(error: BrokerError) -> Trouble:
    """Return what an error of the broker amounts to while a login comes in."""
    match error:
        case RequestRejected():
            return _CODES.get(error.code, Trouble.REFUSED)
        case RateLimited():
            return Trouble.SILENT
        case CredentialsRejected():
            return Trouble.NO_ACCESS
        case Unavailable():
            return Trouble.AWAY
        case ProtocolError():
            return Trouble.UNREADABLE
        case _:
            return Trouble.REFUSED

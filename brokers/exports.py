"""What a person owns here, for the export: logins without tokens, accounts, and what the broker stated."""

from accounts.exports import register
from brokers.models import Account, AccountTag, Connection, Fill, LinkDrop, Order, Position, StatedLimits

register(
    "logins",
    Connection,
    owner="owner",
    hide=("access_token", "refresh_token", "token_expires_at", "token_version"),
)
register("accounts", Account, owner="connection__owner")
register("orders", Order, owner="account__connection__owner")
register("fills", Fill, owner="account__connection__owner")
register("positions", Position, owner="account__connection__owner")
register("labels", AccountTag, owner="account__connection__owner")
register("drops", LinkDrop, owner="connection__owner")
register("stated_limits", StatedLimits, owner="account__connection__owner")

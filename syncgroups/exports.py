"""What a person owns here, for the export: groups and their settings, copies, differences and the logs."""

from accounts.exports import register
from syncgroups.models import (
    Activity,
    AlertsSeen,
    AuditEntry,
    CopiedOrder,
    CopyCommand,
    Drift,
    Follower,
    Holding,
    ManualCopy,
    ManualShare,
    ProductRule,
    Quarantine,
    SyncGroup,
)

register("groups", SyncGroup, owner="owner")
register("followers", Follower, owner="group__owner")
register("product-rules", ProductRule, owner="follower__group__owner")
register("copies", CopiedOrder, owner="owner")
register("copy-commands", CopyCommand, owner="copy__owner")
register("manual-copies", ManualCopy, owner="owner")
register("manual-shares", ManualShare, owner="copy__owner")
register("holdings", Holding, owner="group__owner")
register("differences", Drift, owner="owner")
register("quarantines", Quarantine, owner="group__owner")
register("activity", Activity, owner="owner")
register("alerts-seen", AlertsSeen, owner="owner")
register("decisions", AuditEntry, owner="owner")

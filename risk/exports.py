"""What a person owns here, for the export: gates with their history, and limits."""

from accounts.exports import register
from risk.models import AccountRisk, Gate, GateChange

register("gates", Gate, owner="owner")
register("gate-changes", GateChange, owner="gate__owner")
register("limits", AccountRisk, owner="gate__owner")

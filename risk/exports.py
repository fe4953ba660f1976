"""What a person owns here, for the export: gates and rules with their history, locks, standings."""

from accounts.exports import register
from risk.models import AccountRisk, AccountStanding, Gate, GateChange, Lockout, RuleBook, RuleChange

register("gates", Gate, owner="owner")
register("gate-changes", GateChange, owner="gate__owner")
register("limits", AccountRisk, owner="gate__owner")
register("rules", RuleBook, owner="owner")
register("rule-changes", RuleChange, owner="book__owner")
register("lockouts", Lockout, owner="account__connection__owner")
register("standings", AccountStanding, owner="account__connection__owner")

"""Rules about the code itself that no other tool checks."""

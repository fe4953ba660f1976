"""Changes to what is kept about people: one function for each, with its line in the audit log."""

"""Nobody reads or changes what is another's (ACC-08): every door is tried by every kind of stranger."""

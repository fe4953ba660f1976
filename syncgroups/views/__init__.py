"""Pages of groups, logins, gates and copies, by noun. They parse, call one service, and answer."""

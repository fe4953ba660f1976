"""What every API answer shares: keys, scopes, limits, one error shape, paging, and the reference."""

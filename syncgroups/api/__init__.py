"""What programs see of groups, and what they may order for followers."""

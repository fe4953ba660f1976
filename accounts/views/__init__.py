"""A person's own pages; logging in and out and the second factor are allauth's views in our templates."""

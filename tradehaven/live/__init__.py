"""From the server to the browsers: what has changed, after it was committed."""

"""From the web to the engines: small messages that say where to look. The rows are the truth."""

"""The API's words for ours: `BUY` is Buy, `STOP_LIMIT` is StopLimit."""


def worded(value: str) -> str:
    """Return one of our words as the API writes it."""
    return "".join(part.capitalize() for part in value.split("_"))

"""Says in a few words which browser and system a request came from. Words for people, never proof."""

MAX_LENGTH = 120
# The order matters: most browsers claim to be several of those below them.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """Return "Firefox on Linux", or the start of what the program calls itself, or "Unknown device"."""
    told = "".join(letter for letter in user_agent if letter.isprintable()).strip()
    browser = next((name for mark, name in _BROWSERS if mark in told), "")
    system = next((name for mark, name in _SYSTEMS if mark in told), "")
    if browser and system:
        return f"{browser} on {system}"
    return told[:MAX_LENGTH] or browser or "Unknown device"

"""Settings of the tests: fast hashes, mail in memory, live messages in the process."""

from tradehaven.settings.base import DATA_DIR
from tradehaven.settings.dev import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
DOORS_DIR = DATA_DIR / "nobody"  # a test must not tell the engine that may run beside it
ENGINE_DOORS = []
ACCOUNT_RATE_LIMITS = False  # type: ignore[assignment]  # the library: none at all

"""Deploy checks: settings that are valid one by one, and together would surprise whoever runs this."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Warning, register

TAKE_OVER = 5
"""Seconds within which an engine that died is to be replaced (COPY-15)."""


@register(deploy=True)
def check_leases(**_given: Any) -> list[CheckMessage]:
    """Warn where several engines are meant to replace each other, and would take long to do so."""
    # A sixth of a term passes between two looks, and after the term the next look must come.
    slowest = settings.LEASE_SECONDS * 7 / 6
    if settings.SHARDS == 1 or slowest <= TAKE_OVER:
        return []
    text = f"SHARDS={settings.SHARDS}, but a dead engine is only replaced after {slowest:.0f} seconds."
    hint = "Leave LEASE_SECONDS at 3, or SHARDS at 1 if outliving the database matters more (ADR 14)."
    return [Warning(text, hint=hint, id="tradehaven.W001")]


@register(deploy=True)
def check_packages(**_given: Any) -> list[CheckMessage]:
    """Say which of the pages' scripts are not installed; nothing breaks without them."""
    root = Path(settings.NODE_MODULES)
    missing = [name for name, source in settings.NODE_ASSETS.items() if not (root / source).is_file()]
    if not missing:
        return []
    text = f"{', '.join(missing)}: not installed, so charts are shown as tables only."
    return [Info(text, hint="Run `npm ci --omit=dev --ignore-scripts`.", id="tradehaven.I001")]

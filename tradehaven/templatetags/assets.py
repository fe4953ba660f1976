"""Scripts of locked packages; a machine without npm has none of them, and its pages show tables alone."""

from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static

register = template.Library()


@register.simple_tag
def asset(path: str) -> str:
    """Return the address of a package's file, or nothing where it is not installed."""
    if path not in settings.NODE_ASSETS:
        raise ValueError(f"{path} is not in NODE_ASSETS")
    collected = getattr(staticfiles_storage, "hashed_files", None)
    if collected is not None:
        return static(path) if path in collected else ""
    return static(path) if (Path(settings.NODE_MODULES) / settings.NODE_ASSETS[path]).is_file() else ""

"""The password rules on a page, before anything was typed."""

from django import template

from accounts.validators import Rule, rules

register = template.Library()


@register.inclusion_tag("account/_password_rules.html")
def password_rules() -> dict[str, list[Rule]]:
    """Show the rules, none of them met or broken yet."""
    return {"rules": rules("")}

"""What a key may do: everyone reads, and only a key made for trading changes anything."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.core.keys import Scope

if TYPE_CHECKING:
    from rest_framework.views import APIView


class Scoped(BasePermission):
    """Lets reads through for any key, and all else for one that may trade."""

    message = f"This key may only {Scope.READ}; make one that may read and {Scope.TRADE}."
    code = "scope_missing"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Say whether the key's scope covers the method."""
        return request.method in SAFE_METHODS or bool(getattr(request.auth, "may_trade", False))


class Disarming(BasePermission):
    """Lets through only what was made for opening kill switches."""

    message = f"This key may not {Scope.DISARM}; make one that may."
    code = "scope_missing"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Say whether the key may let orders through again."""
        return bool(getattr(request.auth, "may_disarm", False))

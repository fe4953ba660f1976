"""Addresses under /api/ that lead nowhere, answered in the API's own shape."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView


class Nowhere(APIView):
    """Says that there is nothing here, by any method and to anybody."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(f"There is nothing at {request.path[:100]}; the reference is at /api/docs.")

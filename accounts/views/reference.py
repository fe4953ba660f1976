"""The API reference, for whoever reads it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/reference.html")

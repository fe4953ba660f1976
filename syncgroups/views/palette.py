"""What the palette lists; fetched once by a page that opens it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from syncgroups.selectors.places import places_of


@login_required
@require_GET
def palette(request: UserRequest) -> HttpResponse:
    return render(request, "ui/_places.html", {"palette": places_of(request.user)})

"""Lineage of an order: everything that came of it, as a waterfall (COPY-08)."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.http import UserRequest
from syncgroups import selectors
from syncgroups.selectors.orders import lineage_of


@login_required
@require_GET
def detail(request: UserRequest, key: str) -> HttpResponse:
    copy = selectors.copy_for(request.user, key)
    return redirect(f"{reverse('syncgroups:order', args=[copy.key])}#copy-{copy.pk}")


@login_required
@require_GET
def order(request: UserRequest, name: str) -> HttpResponse:
    linear = request.GET.get("scale") == "linear"
    page = {"lineage": lineage_of(request.user, name, linear=linear), "name": name}
    return render(request, "syncgroups/order.html", page)

"""One act for all accounts of a group, a tag or a folder (COPY-13)."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import require_fresh_factor
from accounts.http import UserRequest
from syncgroups.forms import BatchForm
from syncgroups.selectors.spans import reach_of
from syncgroups.services import batch
from syncgroups.views.answers import done, said_of
from tradehaven.domain.enums import BatchAct, Span
from tradehaven.domain.errors import InvalidInput


@login_required
@require_POST
def act(request: UserRequest) -> HttpResponse:
    form = BatchForm(request.POST)
    if not form.is_valid():
        name, faults = next(iter(form.errors.items()))
        raise InvalidInput(name, str(faults[0]))
    typed = form.cleaned_data
    wanted, span = BatchAct(typed["act"]), Span(typed["span"])
    reach = reach_of(request.user, span, typed["subject"])
    if wanted is BatchAct.RESUME and reach.holds_live:
        require_fresh_factor(request)
    did = batch.carry_out(wanted, reach, by=request.user, qty=typed["qty"])
    back = ("syncgroups:detail", typed["subject"]) if span is Span.GROUP else ("syncgroups:connections",)
    return done(request, f"{did.text}{said_of(did.heard)}", *back, warn=wanted is not BatchAct.RESUME)


@login_required
@require_GET
def ask(request: UserRequest) -> HttpResponse:
    span, subject = request.GET.get("span", ""), request.GET.get("subject", "")
    if span not in set(Span):
        raise Http404
    page = {"reach": reach_of(request.user, Span(span), subject), "span": span, "subject": subject}
    return render(request, "syncgroups/_ask.html" if request.htmx else "syncgroups/ask.html", page)

"""The kill switch: ask, halt, disarm (RISK-04, DASH-06)."""

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.access import require_fresh_factor
from accounts.http import UserRequest
from risk.selectors import gate_for
from risk.services.gates import ensure_owner_gate
from syncgroups.selectors.live_money import gate_holds_live
from syncgroups.services import gates
from syncgroups.views.answers import done, said_of

if TYPE_CHECKING:
    from risk.models import Gate


@login_required
@require_http_methods(["GET", "POST"])
def halt_all(request: UserRequest) -> HttpResponse:
    return _halt(request, ensure_owner_gate(request.user.pk))


@login_required
@require_http_methods(["GET", "POST"])
def halt(request: UserRequest, pk: int) -> HttpResponse:
    return _halt(request, gate_for(request.user, pk))


def _halt(request: UserRequest, gate: "Gate") -> HttpResponse:
    subject = gates.subject_of(gate)
    if request.method == "POST":
        # No form stands in between: nothing that is typed may keep a kill switch from working.
        reason = request.POST.get("reason", "")
        halted = gates.halt(gate=gate, by=request.user, reason=reason, flatten="flatten" in request.POST)
        hours = request.POST.get("hours", "").strip()
        until = gates.hold(gate=gate, by=request.user, hours=hours, now=timezone.now())
        held = f" Nobody disarms it before {until:%b %-d, %H:%M} UTC." if until is not None else ""
        text = f"Kill switch is on for {subject}.{said_of(halted.heard)}{held}"
        return done(request, text, "analytics:live", warn=True)
    page = {"gate": gate, "subject": subject, "holds_live": gate_holds_live(gate)}
    return render(request, "risk/_halt.html" if request.htmx else "risk/halt.html", page)


@login_required
@require_http_methods(["GET", "POST"])
def disarm(request: UserRequest, pk: int) -> HttpResponse:
    gate = gate_for(request.user, pk)
    subject = gates.subject_of(gate)
    if request.method == "POST":
        if gate_holds_live(gate):
            require_fresh_factor(request)
        gates.disarm(gate=gate, by=request.user, reason="", intent=request.POST.get("intent", ""))
        return done(request, f"Kill switch is off for {subject}.", "analytics:live")
    page = {"gate": gate, "subject": subject, "word": gates.INTENT, "now": timezone.now()}
    return render(request, "risk/_disarm.html" if request.htmx else "risk/disarm.html", page)

"""Addresses of groups, logins, gates and copies."""

from django.urls import path

from syncgroups.api import copies as copies_api
from syncgroups.api import groups as groups_api
from syncgroups.api import kill as kill_api
from syncgroups.api import rules as rules_api
from syncgroups.views import (
    batch,
    billing,
    connections,
    copies,
    drift,
    followers,
    gates,
    groups,
    guardrails,
    labels,
    paper,
)

app_name = "syncgroups"
urlpatterns = [
    path("groups/", groups.group_list, name="list"),
    path("groups/new/", groups.create, name="create"),
    path("groups/<slug:public_id>/", groups.detail, name="detail"),
    path("groups/<slug:public_id>/preview/", groups.foretell, name="preview"),
    path("groups/<slug:public_id>/edit/", groups.edit, name="edit"),
    path("groups/<slug:public_id>/on/", groups.switch, {"on": True}, name="on"),
    path("groups/<slug:public_id>/off/", groups.switch, {"on": False}, name="off"),
    path("groups/<slug:public_id>/dissolve/", groups.dissolve, name="dissolve"),
    path("groups/<slug:public_id>/followers/", followers.add, name="follower-add"),
    path("groups/<slug:public_id>/followers/<int:account_id>/", followers.size, name="follower-size"),
    path(
        "groups/<slug:public_id>/followers/<int:account_id>/remove/", followers.remove, name="follower-remove"
    ),
    path(
        "groups/<slug:public_id>/followers/<int:account_id>/products/",
        followers.set_product,
        name="product-set",
    ),
    path(
        "groups/<slug:public_id>/followers/<int:account_id>/products/<slug:root>/remove/",
        followers.remove_product,
        name="product-remove",
    ),
    path("halt/", gates.halt_all, name="halt-all"),
    path("gates/<int:pk>/halt/", gates.halt, name="halt"),
    path("gates/<int:pk>/disarm/", gates.disarm, name="disarm"),
    path("batch/", batch.act, name="batch"),
    path("batch/ask/", batch.ask, name="batch-ask"),
    path("risk/", guardrails.overview, name="risk"),
    path("risk/all/", guardrails.everything, name="risk-all"),
    path("risk/accounts/<int:pk>/", guardrails.account, name="risk-account"),
    path("risk/accounts/<int:pk>/lock/", guardrails.lock, name="risk-lock"),
    path(
        "risk/groups/<slug:public_id>/followers/",
        guardrails.group,
        {"span": "followers"},
        name="risk-followers",
    ),
    path("risk/groups/<slug:public_id>/sum/", guardrails.group, {"span": "sum"}, name="risk-sum"),
    path("copies/<str:key>/", copies.detail, name="copy"),
    path("copies/<str:key>/replay/", drift.replay, name="replay"),
    path("drift/<int:pk>/repair/", drift.repair, name="drift-repair"),
    path("drift/<int:pk>/ignore/", drift.ignore, name="drift-ignore"),
    path("drift/<int:pk>/quarantine/", drift.quarantine, name="drift-quarantine"),
    path("quarantines/<int:pk>/release/", drift.release, name="quarantine-release"),
    path("settings/billing/", billing.page, name="billing"),
    path("settings/billing/plan/<slug:plan>/", billing.choose, name="plan-choose"),
    path("settings/billing/cancel/", billing.cancel, name="plan-cancel"),
    path("settings/billing/resume/", billing.resume, name="plan-resume"),
    path("settings/billing/portal/", billing.portal, name="billing-portal"),
    path("settings/connections/", connections.connection_list, name="connections"),
    path("settings/paper/", paper.venue, name="paper"),
    path(
        "settings/paper/logins/<int:pk>/<slug:drill>/on/",
        paper.switch_login,
        {"on": True},
        name="drill-login-on",
    ),
    path(
        "settings/paper/logins/<int:pk>/<slug:drill>/off/",
        paper.switch_login,
        {"on": False},
        name="drill-login-off",
    ),
    path(
        "settings/paper/accounts/<int:pk>/<slug:drill>/on/",
        paper.switch_account,
        {"on": True},
        name="drill-on",
    ),
    path(
        "settings/paper/accounts/<int:pk>/<slug:drill>/off/",
        paper.switch_account,
        {"on": False},
        name="drill-off",
    ),
    path("settings/connections/callback/", connections.callback, name="connect-callback"),
    path("settings/connections/connect/<slug:environment>/", connections.connect, name="connect"),
    path("settings/connections/<int:pk>/reconnect/", connections.reconnect, name="reconnect"),
    path("settings/connections/<int:pk>/look/", connections.look, name="look"),
    path("settings/accounts/<int:pk>/labels/", labels.edit, name="labels"),
    path("settings/connections/<int:pk>/disconnect/", connections.disconnect, name="disconnect"),
    path("api/trades/copy", copies_api.Copies.as_view(), name="api-copy"),
    path("api/trades/copies/<slug:copy_id>", copies_api.Copy.as_view(), name="api-copied"),
    path("api/kill", kill_api.Kill.as_view(), name="api-kill"),
    path("api/kill/disarm", kill_api.Disarm.as_view(), name="api-disarm"),
    path("api/accounts/<int:pk>/rules", rules_api.Rules.as_view(), name="api-rules"),
    path("api/accounts/<int:pk>/lock", rules_api.Lock.as_view(), name="api-lock"),
    path("api/batch", kill_api.Batch.as_view(), name="api-batch"),
    path("api/syncer/snapshot", groups_api.SyncerSnapshot.as_view(), name="api-syncer"),
]

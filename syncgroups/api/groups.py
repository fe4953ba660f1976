"""The state of all groups."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import KeyRequest
from accounts.api.fields import NoQuery, checked, enveloped, listed
from syncgroups.api.bodies import GroupBody, GroupsAnswer
from syncgroups.selectors.snapshot import groups_now


class SyncerSnapshot(APIView):
    """All groups with their members."""

    @extend_schema(operation_id="getSyncerSnapshot", responses=GroupsAnswer)
    def get(self, request: KeyRequest) -> Response:
        """Return all groups; a paper key sees those in which no live account takes part."""
        checked(NoQuery(data=request.query_params))
        groups = groups_now(request.user, real_money=not request.auth.is_paper)
        return Response(enveloped({"syncGroups": listed(GroupBody, groups)}))

"""The store in the project's database."""

from django.contrib.auth.hashers import check_password, make_password
from django.db import close_old_connections, connection, transaction
from django.db.models import Q

from brokers.paper.codec import from_wire, to_wire
from brokers.paper.kinds import SESSION_KINDS, Kind
from brokers.paper.models import (
    FIRST_USER_ID,
    PaperAccount,
    PaperClient,
    PaperEntity,
    PaperLogin,
    PaperRefresh,
    PaperState,
)
from brokers.paper.records import Event, Row
from brokers.paper.store import Batch, Client, Login, RefreshGrant, Saved, Seat

_STATE_ROW = 1
_CHUNK = 500


class DjangoStore:
    """Implements the store's port; its calls block and run in threads."""

    instant = False

    def load(self) -> Saved:
        """Return what an earlier run left behind."""
        _refresh_connection()
        state = PaperState.objects.filter(pk=_STATE_ROW).first()
        if state is None:
            return Saved()
        lasting = ~Q(kind__in=[kind.value for kind in SESSION_KINDS])
        found = PaperEntity.objects.filter(lasting | Q(session__gte=state.session))
        return Saved(
            rows=[_row(item) for item in found.iterator(_CHUNK)],
            next_id=state.next_id,
            session=state.session,
            marks={int(number): ticks for number, ticks in state.marks.items()},
        )

    def save(self, batch: Batch) -> None:
        """Write changes in one transaction."""
        _refresh_connection()
        # The last image of an entity is the one to keep; a batch may hold several.
        latest = {(event.kind.value, event.entity.id): event for event in batch.events}
        with transaction.atomic():
            PaperEntity.objects.bulk_create(
                [_record(event) for event in latest.values()],
                batch_size=_CHUNK,
                update_conflicts=True,
                unique_fields=["kind", "entity_id"],
                update_fields=["account_id", "session", "body"],
            )
            values = {"next_id": batch.next_id, "session": batch.session, "marks": batch.marks}
            PaperState.objects.update_or_create(pk=_STATE_ROW, defaults=values)

    def login(self, name: str, password: str) -> Login | None:
        """Return the login of a name or mail address if the password is right."""
        _refresh_connection()
        found = PaperLogin.objects.filter(Q(name=name) | Q(email=name)).first()
        if found is None:
            # An unknown name must cost the same time as a wrong password.
            make_password(password)
            return None
        return _login(found) if check_password(password, found.password) else None

    def login_of_id(self, user_id: int) -> Login | None:
        """Return a login as it is now."""
        _refresh_connection()
        found = PaperLogin.objects.filter(pk=user_id - FIRST_USER_ID).first()
        return _login(found) if found else None

    def client(self, client_id: str) -> Client | None:
        """Return a registered client."""
        _refresh_connection()
        found = PaperClient.objects.filter(client_id=client_id).first()
        if found is None:
            return None
        return Client(client_id=found.client_id, name=found.name, redirect_uris=tuple(found.redirect_uris))

    def client_secret_is(self, client_id: str, secret: str) -> bool:
        """Return whether a client's secret is right."""
        _refresh_connection()
        found = PaperClient.objects.filter(client_id=client_id).first()
        return found is not None and check_password(secret, found.secret)

    def keep_refresh(self, grant: RefreshGrant) -> None:
        """Remember a refresh token."""
        _refresh_connection()
        PaperRefresh.objects.create(
            digest=grant.digest,
            login_id=grant.user_id - FIRST_USER_ID,
            client_id=grant.client_id,
            expires=grant.expires,
        )

    def take_refresh(self, digest: str) -> RefreshGrant | None:
        """Return and forget a refresh token; of two that come at once one gets it."""
        _refresh_connection()
        with transaction.atomic():
            found = PaperRefresh.objects.select_for_update().filter(digest=digest).first()
            if found is None:
                return None
            found.delete()
        return RefreshGrant(
            digest=digest,
            user_id=FIRST_USER_ID + found.login_id,
            client_id=found.client_id,
            expires=found.expires,
        )


def _refresh_connection() -> None:
    # Threads live longer than connections do; one inside a transaction is left alone.
    if not connection.in_atomic_block:
        close_old_connections()


def _row(item: PaperEntity) -> Row:
    kind = Kind(item.kind)
    entity = from_wire(kind, item.body)
    return Row(kind=kind, entity=entity, account_id=item.account_id, session=item.session)


def _record(event: Event) -> PaperEntity:
    return PaperEntity(
        kind=event.kind.value,
        entity_id=event.entity.id,
        account_id=event.account_id,
        session=event.session,
        body=to_wire(event.entity),
    )


def _login(found: PaperLogin) -> Login:
    seats = [
        Seat(
            account_id=account.account_id,
            name=account.name,
            opening=account.opening_balance,
            rule_set=account.rule_set,
        )
        for account in PaperAccount.objects.filter(login=found).order_by("pk")
    ]
    return Login(user_id=found.user_id, name=found.name, email=found.email, seats=tuple(seats))

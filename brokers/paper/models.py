"""Tables of the paper exchange: logins, accounts, OAuth clients, and one row for each wire entity.

Entities are stored as the JSON that clients see, because the exchange lives in memory and reads them
only when it starts.
"""

from django.db import models

FIRST_USER_ID = 15_000
FIRST_ACCOUNT_ID = 7_000_000


class PaperLogin(models.Model):
    """A user of the exchange."""

    name = models.CharField(max_length=64, unique=True)
    email = models.EmailField(max_length=64)
    password = models.CharField(max_length=128)
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def user_id(self) -> int:
        """Return the id under which the wire knows the login."""
        return FIRST_USER_ID + self.id


class PaperAccount(models.Model):
    """An account of a login."""

    login = models.ForeignKey(PaperLogin, on_delete=models.CASCADE, related_name="accounts")
    name = models.CharField(max_length=64, unique=True)
    opening_balance = models.DecimalField(max_digits=24, decimal_places=8)
    rule_set = models.CharField(max_length=64, default="", blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def account_id(self) -> int:
        """Return the id under which the wire knows the account."""
        return FIRST_ACCOUNT_ID + self.id


class PaperClient(models.Model):
    """An application that may ask users for access."""

    client_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=64)
    secret = models.CharField(max_length=128)
    redirect_uris = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class PaperRefresh(models.Model):
    """A refresh token that has not been used, known by its digest."""

    digest = models.CharField(max_length=64, unique=True)
    login = models.ForeignKey(PaperLogin, on_delete=models.CASCADE)
    client_id = models.CharField(max_length=64)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.client_id} for {self.login}"


class PaperEntity(models.Model):
    """One wire entity as clients see it; rows of past sessions stay as history."""

    kind = models.CharField(max_length=32)
    entity_id = models.BigIntegerField()
    account_id = models.BigIntegerField(db_index=True)
    session = models.DateField(db_index=True)
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "entity_id"], name="paper_entity_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.entity_id}"


class PaperState(models.Model):
    """The one row that says where the exchange is: next id, session, last prices in ticks."""

    next_id = models.BigIntegerField()
    session = models.DateField()
    marks = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"session {self.session}"

"""Seals what allauth keeps of a second factor: the app's secret and the seed of the recovery codes."""

from allauth.mfa.adapter import DefaultMFAAdapter

from tradehaven.sealing import seal, unseal

# The library says neither row nor person where it seals, so a secret that is copied to another person's row
# would open there. Only who writes to the database could copy it, and could enrol any factor anyway.
SUBJECT = "second-factor"


class SealedFactors(DefaultMFAAdapter):  # type: ignore[misc]  # the library ships no types
    """Factors whose secrets do not lie open in the database."""

    def encrypt(self, text: str) -> str:
        """Return the secret, sealed."""
        return seal(text, subject=SUBJECT)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret; raise `VaultError` if the key is gone."""
        return unseal(encrypted_text, subject=SUBJECT)

"""The tokens' seal, under this app's name for it: the subject is connection and kind of token."""

from tradehaven.sealing import VaultError, seal, unseal

__all__ = ["VaultError", "seal", "unseal"]

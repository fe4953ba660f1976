"""The tokens' seal, under this app's name for it: the subject is connection and kind of token."""

from tradehaven.sealing import VaultError, is_current, reseal, seal, unseal

__all__ = ["VaultError", "is_current", "reseal", "seal", "unseal"]

"""Names for the numbers and texts that identify things, so that mypy tells them apart.

`AccountId` and `ConnectionId` are our own row ids, because a broker reuses account numbers between
its demo and its live environment. Order and fill ids are the broker's and mean something only
together with an account.
"""

from typing import NewType

OwnerId = NewType("OwnerId", int)
ConnectionId = NewType("ConnectionId", int)
AccountId = NewType("AccountId", int)
GroupId = NewType("GroupId", int)
GateId = NewType("GateId", int)
OrderId = NewType("OrderId", int)
FillId = NewType("FillId", int)
ClientOrderId = NewType("ClientOrderId", str)
"""The id that we give an order before we send it; at most 64 characters, the same after any crash."""
Symbol = NewType("Symbol", str)
"""A dated contract with a one-digit year, such as `ESZ6`."""
Nanos = NewType("Nanos", int)
"""Nanoseconds since 1970 in UTC, from a clock that never steps back while the process lives."""
PressId = NewType("PressId", str)
"""One press of a kill switch: 32 hexadecimal digits, the same on every way that it takes."""

"""The paper exchange: an order-matching venue that speaks Tradovate's REST, WebSocket and OAuth.

A room of its own. It shares no code with the Tradovate client, so that a misreading of the protocol
on one side shows on the other.
"""

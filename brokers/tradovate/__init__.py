"""The one room that speaks Tradovate. Nothing outside knows its frames, field names or hosts."""

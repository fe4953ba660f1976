"""Reading and writing JSON. Amounts are written as exact numbers and never pass through a float."""

from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any

import msgspec
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

LARGEST_BODY = 64 * 1024
"""Bytes of the largest request that is read; the largest that makes sense has a few kilobytes."""
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class TooLarge(APIException):
    """A body that no request of ours needs."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = f"The body is larger than {LARGEST_BODY // 1024} kB; send less."


class ExactJSON(JSONRenderer):
    """Writes decimals as they are: 275.00, not "275.00" and not 275.00000001."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the answer's bytes."""
        return rendered(data)


class SmallJSON(JSONParser):
    """Reads a JSON object of bounded size and depth."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what was sent; raise what says why it cannot be read."""
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge
        try:
            return _decoder.decode(body) if body else {}
        except (msgspec.DecodeError, RecursionError) as error:
            raise ParseError(f"This is not JSON that we can read: {error}.") from None


class AlwaysJSON(BaseContentNegotiation):
    """Answers in JSON whatever a caller would prefer, so that every error has its one shape."""

    def select_parser(self, request: Request, parsers: list[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        """Return the parser for what was sent; a body without a type is taken for JSON."""
        kind = request.content_type.partition(";")[0].strip().lower()
        fits = kind in ("", "application/json") or kind.endswith("+json")
        return parsers[0] if fits else None

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: list[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the one renderer."""
        return renderers[0], renderers[0].media_type or "application/json"


def rendered(data: Any) -> bytes:
    """Return an answer's bytes; no answer is no bytes."""
    return b"" if data is None else _encoder.encode(data)

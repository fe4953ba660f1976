"""Lines of the log as a table for spreadsheets, row by row, with nothing that a spreadsheet would run."""

import csv
from collections.abc import AsyncIterator, Iterator
from datetime import tzinfo
from io import StringIO
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from syncgroups.core.remedies import remedy_for

if TYPE_CHECKING:
    from syncgroups.models import Activity

COLUMNS = (
    *("time", "kind", "severity", "group", "account", "symbol", "code", "reason", "remedy"),
    *("text", "order", "key", "line"),
)
ROWS = 500
"""Rows in a chunk."""
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(text: str) -> str:
    """Return a text as a spreadsheet shows it: one that would be a formula gets an apostrophe in front."""
    return f"'{text}" if text.lstrip(" ").startswith(_RUNS) else text


def csv_stream(name: str, lines: "Iterator[Activity]", zone: tzinfo) -> StreamingHttpResponse:
    """Return lines as a file that grows while it is sent; times are in the given zone."""
    return StreamingHttpResponse(
        _chunks(lines, zone),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


async def _chunks(lines: "Iterator[Activity]", zone: tzinfo) -> AsyncIterator[bytes]:
    chunks = _texts(lines, zone)
    make = sync_to_async(lambda: next(chunks, None))
    while (chunk := await make()) is not None:
        yield chunk.encode()


def _texts(lines: "Iterator[Activity]", zone: tzinfo) -> Iterator[str]:
    sheet = StringIO()
    writer = csv.writer(sheet)
    writer.writerow(COLUMNS)
    for number, line in enumerate(lines, start=1):
        writer.writerow([cell(text) for text in _row(line, zone)])
        if number % ROWS == 0:
            yield sheet.getvalue()
            sheet.seek(0)
            sheet.truncate()
    yield sheet.getvalue()


def _row(line: "Activity", zone: tzinfo) -> list[str]:
    remedy = remedy_for(line.reason)
    return [
        line.at.astimezone(zone).isoformat(timespec="microseconds"),
        line.kind,
        line.severity,
        line.group.name if line.group is not None else "",
        line.account.name if line.account is not None else "",
        line.symbol,
        line.reason,
        remedy.words if remedy is not None else "",
        remedy.advice if remedy is not None else "",
        line.text,
        line.thread,
        line.key,
        str(line.pk),
    ]

"""Sources: the configured accounts, how each is looked at and how its API stands towards us."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bridge.core.hints import hints_path
from bridge.core.pacing.report import SourceReport, Standing, TableRow
from bridge.core.settings import Source
from bridge.core.text.clocktext import rfc3339
from bridge.web.answer import Json, answer, problems
from bridge.web.service import Service
from bridge.web.source_shapes import SourcesShape


def router(service: Service) -> APIRouter:
    """Return the calls."""
    calls = APIRouter(tags=["sources"])

    @calls.get(
        "/v1/sources",
        summary="List sources",
        responses={**answer(SourcesShape), **problems()},
    )
    async def sources() -> Response:
        """Return every source: how it is looked at, how it stands, and what was learnt.

        On several replicas each tells of itself.
        """
        reports = service.reports()
        found = [
            source_document(source, reports.get(name) or _beginning(source))
            for name, source in service.settings.sources.items()
        ]
        return Json({"sources": found})

    return calls


def source_document(source: Source, report: SourceReport) -> Mapping[str, Any]:
    """Return a source as it is shown; numbers are cut to what a person reads."""
    token = source.hint_token
    return {
        "name": source.name,
        "provider": source.provider_name,
        "rate_per_second": source.rate.per_second,
        "rate_now": _short(report.rate),
        "max_connections": source.max_connections,
        "looks": source.looks,
        "interval_seconds": source.interval.total_seconds(),
        "watching": report.watching,
        "mode": report.mode,
        "reason": report.reason,
        "price": _short(report.price),
        "open": report.open,
        "holds": report.holds,
        "standing": report.standing.value,
        "since": rfc3339(report.since),
        "why": report.why,
        "saturation": report.saturation,
        "lacking_per_second": _short(report.lacking),
        "batch_waits": report.batch_waits,
        "unknown_words": dict(report.unknown),
        "malformed": report.malformed,
        "hints_path": None if token is None else hints_path(source.name, token),
        "tables": [_table(row) for row in report.tables if row.changes],
    }


def _table(row: TableRow) -> Mapping[str, Any]:
    bars = [(_short(until), _short(count)) for until, count in row.histogram]
    return {
        "model": row.model,
        "state": row.state,
        "changes": _short(row.changes),
        "p50": _short(row.p50),
        "p90": _short(row.p90),
        "looks": _short(row.looks),
        "delay": _short(row.delay),
        "drifts": row.drifts,
        "histogram": [bar for bar in bars if bar[1]],
    }


def _short(number: float) -> float:
    """Return a number with four digits; one that is infinite becomes null in JSON."""
    return float(f"{number:.4g}")


def _beginning(source: Source) -> SourceReport:
    """Return what there is to tell of a source whose poller is being made."""
    return SourceReport(
        source=source.name,
        provider=source.provider_name,
        mode="plain",
        reason="it is being taken up",
        rate=source.rate.per_second,
        limit=source.rate.per_second,
        price=0.0,
        watching=0,
        holds=0,
        open=0,
        standing=Standing.WORKING,
    )

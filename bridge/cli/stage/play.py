"""The piece: which generations there are, who is told, and how the receivers misbehave."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bridge.core.delivering.signing import Key
from bridge.simulator.receiver import Scripted
from bridge.simulator.timeline import Script, failing
from bridge.simulator.upstream import Upstream

GOOD = Scripted()
BUSY = Scripted(status=429, headers=(("retry-after", "1"),), body=b"too many requests")
DOWN = Scripted(status=503, body=b"starting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A generation at a source, which has the name of its provider."""

    source: str
    script: Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A webhook, and what its receiver answers first."""

    name: str
    format: str
    states: tuple[str, ...] = ("completed", "failed")
    answers: tuple[Scripted, ...] = ()
    otherwise: Scripted = GOOD


ALL_STATES = ("queued", "dreaming", "completed", "failed")

_HELD: Script = (("queued", 0.6), ("dreaming", 1.2), ("completed", None))

# Sources without a long poll are looked at every 2 to 5 s at most: what takes longer than one
# such pause would make the demo long, so there the daemon comes late and skips states.
ROLES = (
    Role(source="aimlapi-luma", script=_HELD),
    Role(source="aimlapi-luma", script=failing(_HELD)),
    Role(source="luma-agents", script=(("dreaming", 1.5), ("completed", None))),
    Role(source="dream-machine", script=(("completed", None),)),
    Role(source="relay-luma", script=(("completed", None),)),
)

SEATS = (
    Seat(name="studio", format="standard", states=ALL_STATES, answers=(DOWN, BUSY)),
    Seat(name="team", format="slack", otherwise=Scripted(body=b"ok")),
    Seat(name="sheet", format="flat"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a seat's callbacks go, and the secret that they are signed with."""

    url: str
    key: Key = field(repr=False)


def begin(upstream: Upstream) -> list[tuple[str, str]]:
    """Begin every generation; return their sources and ids."""
    return [(role.source, upstream.add(role.source, script=role.script)) for role in ROLES]


def configuration(
    *,
    folder: Path,
    listen: str,
    sources: Mapping[str, str],
    places: Mapping[str, Place],
    watches: list[tuple[str, str]],
) -> str:
    """Return the configuration of the demo; `sources` are base URLs by name."""
    lines = [
        f"database: {_quoted(str(folder / 'genbridge.db'))}",
        f"server: {{listen: {_quoted(listen)}}}",
        "network: {allow: [127.0.0.0/8]}   # everything here is on this machine",
        "sources:",
        *(
            f"  {name}: {{provider: {name}, api_key: demo, interval: 1s, "
            f"base_url: {_quoted(url)}}}"
            for name, url in sources.items()
        ),
        "webhooks:",
        *(line for seat in SEATS for line in _webhook(seat, places[seat.name])),
        "watches:",
        *(f"  - {{source: {source}, id: {_quoted(id_)}}}" for source, id_ in watches),
    ]
    return "\n".join(lines) + "\n"


def _webhook(seat: Seat, place: Place) -> list[str]:
    return [
        f"  {seat.name}:",
        f"    url: {_quoted(place.url)}",
        f"    secret: {place.key.text}",
        f"    format: {seat.format}",
        f"    states: [{', '.join(seat.states)}]",
        "    rate_limit: 50/s   # a real Slack takes one a second",
        "    retry: {schedule: [300ms, 600ms, 1s, 2s, 4s], jitter: 0.1}",
    ]


def _quoted(text: str) -> str:
    return json.dumps(text)

"""10,000 generated messages in every format: every limit is kept, nothing is markup.

usage: ./run bench formats [--count N] [NAME ...]
"""

import argparse
import time
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.core.message import Message
from bridge.core.ports import Form
from tests.formats.built import NAMES, built
from tests.formats.events import COMPLETED, MESSAGES, message
from tests.formats.rules import follow


@dataclass(slots=True)
class Tally:
    """What was seen of one format."""

    silent: int = 0
    faults: int = 0
    largest: int = 0
    first: str = ""


def main() -> None:
    """Print one line for each format; exit 1 where a limit was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("names", nargs="*", default=NAMES)
    asked = parser.parse_args()
    tallies = {name: Tally() for name in asked.names}
    _generate(asked.count, tallies)
    _report(asked.count, tallies)
    raise SystemExit(1 if any(tally.faults for tally in tallies.values()) else 0)


def _generate(count: int, tallies: dict[str, Tally]) -> None:
    """Make every message once and dress it for every format, in one form each."""

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(MESSAGES, st.sampled_from(Form))
    def every_limit_is_kept(sent: Message, form: Form) -> None:
        for name, tally in tallies.items():
            try:
                _dress(name, tally, sent, form)
            except Exception as error:  # noqa: BLE001  (counted, and the first is told)
                tally.faults += 1
                said = f"{type(error).__name__} at {form.name}: {str(error)[:200]}"
                tally.first = tally.first or said

    every_limit_is_kept()


def _dress(name: str, tally: Tally, sent: Message, form: Form) -> None:
    made = built(name)
    rendered = made.render(sent, form)
    if rendered is None:
        tally.silent += 1
        return
    tally.largest = max(tally.largest, len(rendered.body))
    assert made.limits.body is None or len(rendered.body) <= made.limits.body
    follow(rendered, name)


def _report(count: int, tallies: dict[str, Tally]) -> None:
    heads = ("format", "messages", "silent", "faults", "largest", "limit", "an event")
    print("{:12} {:>8} {:>7} {:>7} {:>10} {:>10} {:>10}".format(*heads))
    for name, tally in tallies.items():
        limit = built(name).limits.body
        print(
            f"{name:12} {count:8,} {tally.silent:7,} {tally.faults:7,} {tally.largest:10,} "
            f"{f'{limit:,}' if limit else '-':>10} {_pace(name):7.0f} µs  {tally.first}",
            flush=True,
        )


def _pace(name: str, times: int = 500) -> float:
    """Return how long one rendering of a plain event takes, in microseconds: the best of five."""
    made, sent = built(name), message(COMPLETED)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(times):
            made.render(sent)
        best = min(best, time.perf_counter() - began)
    return best / times * 1e6


if __name__ == "__main__":
    main()

"""Holding: an answer that waits for a generation to come so far."""

from collections.abc import Generator
from math import inf

from bridge.simulator.account import Account
from bridge.simulator.api import Api, error_reply
from bridge.simulator.exchange import Call, Manner, Reply
from bridge.simulator.switches import Holding


def held(
    api: Api, until: float, limit: float, call: Call, account: Account
) -> Generator[float, float, float | Reply]:
    """Wait until the moment; return the moment it then is, or the reply that ends the hold.

    `limit` is the vendor's, in seconds; the switches may have another one.
    """
    switches = account.switches
    if until <= call.at or switches.holding is Holding.IGNORED:
        return call.at
    ends = call.at + (limit if switches.hold_limit is None else switches.hold_limit)
    # Timers may wake a little early: the transition is what was waited for, so it has happened.
    now = max(until if until <= ends else -inf, (yield min(until, ends)))
    if now >= until or switches.holding is Holding.HONOURED:
        return now
    if switches.holding is Holding.CUT:
        return Reply(manner=Manner.CLOSED)
    return error_reply(api, 504, "Gateway timeout", call, account)

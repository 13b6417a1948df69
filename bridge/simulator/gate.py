"""What stands before every simulated API: its door, its limit, and the faults that it tells."""

from dataclasses import dataclass, field
from random import Random

from bridge.simulator.account import Account
from bridge.simulator.api import Api, error_reply
from bridge.simulator.exchange import Call, Reply
from bridge.simulator.faults import FAULTY_STATUS
from bridge.simulator.limits import Meter, refusal
from bridge.simulator.switches import Fault


@dataclass(kw_only=True)
class Gate:
    """Refuses calls. `key` is the only good one, where the switches do not name another."""

    chance: Random
    key: str | None = field(default=None, repr=False)
    meters: dict[tuple[str, str], Meter] = field(default_factory=dict, repr=False)

    def refused(self, call: Call, api: Api, account: Account) -> Reply | None:
        """Return the refusal of a call that may not come in; None: it may."""
        switches = account.switches
        who = api.door(call, switches.key or self.key, account.wall.now())
        if who is None:
            return error_reply(api, 401, "Invalid API key", call, account)
        if switches.limit is None:
            return None
        meter = self.meters.setdefault((call.provider, who), Meter())
        wait = meter.wait(call.at, switches.limit)
        if not wait:
            return None
        reply = error_reply(api, 429, "Rate limit exceeded", call, account)
        return refusal(reply, wait, switches.retry_after, account.wall.now())

    def fault(self, account: Account) -> Fault:
        """Draw what will be wrong with the answer."""
        switches = account.switches
        if switches.fault is Fault.OFF or self.chance.random() >= switches.fault_share:
            return Fault.OFF
        return switches.fault


def told(fault: Fault, call: Call, api: Api, account: Account) -> Reply | None:
    """Return the reply to a fault that is told in the vendor's envelope; None: it is no such."""
    status = FAULTY_STATUS.get(fault)
    if status is None:
        return None
    return error_reply(api, status, fault.name, call, account)

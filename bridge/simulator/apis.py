"""All simulated APIs together, without a network: a call in, a reply out; others do the waiting."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from bridge.core.ports import Clock
from bridge.simulator import aimlapi_holds, dream_machine, luma_agents, relay_luma
from bridge.simulator.account import Account, Job
from bridge.simulator.api import Api, error_reply
from bridge.simulator.exchange import Answering, Call, Manner, Reply
from bridge.simulator.faults import FAULTY_STATUS, spoilt
from bridge.simulator.limits import Meter, refusal
from bridge.simulator.links import FOLDER, open_link
from bridge.simulator.switches import Fault, Switches
from bridge.simulator.timeline import DEFAULT_SCRIPT, Script, Timeline

APIS: Mapping[str, Api] = {
    "aimlapi-luma": aimlapi_holds.API,
    "luma-agents": luma_agents.API,
    "dream-machine": dream_machine.API,
    "relay-luma": relay_luma.API,
}
"""Every simulated API by its provider's name, which is also the prefix of its path."""

_LOGGED = 200_000
_NOT_FOUND = Reply(status=404, headers=(("content-type", "text/plain"),))


@dataclass(kw_only=True)
class Apis:
    """The simulated APIs: what they know, what they were asked, and what they answer.

    `origin` is where links are served. `key` is the only good key; None: any Bearer key is.
    `requests` holds the last 200,000 calls, `open` counts those not yet answered.
    """

    clock: Clock
    chance: Random
    switches: Switches
    origin: str = ""
    key: str | None = None
    accounts: dict[str, Account] = field(init=False)
    requests: deque[Call] = field(init=False, default_factory=lambda: deque(maxlen=_LOGGED))
    open: int = field(init=False, default=0)
    most_open: int = field(init=False, default=0)
    _meters: dict[tuple[str, str], Meter] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.accounts = {
            name: Account(clock=self.clock, chance=self.chance, switches=self.switches)
            for name in APIS
        }
        self.move(self.origin)

    def move(self, origin: str) -> None:
        """Serve links at this origin from now on."""
        self.origin = origin
        for account in self.accounts.values():
            account.origin = origin

    def switch(self, provider: str | None = None, **changes: Any) -> None:  # noqa: ANN401  (the fields of Switches)
        """Change switches of one API or of all, from the next call on."""
        for name, account in self.accounts.items():
            if provider in (None, name):
                account.switches = replace(account.switches, **changes)

    def add(
        self,
        provider: str,
        *,
        id: str | None = None,  # noqa: A002  (the domain's word)
        script: Script = DEFAULT_SCRIPT,
        age: float = 0.0,
        **details: str,
    ) -> str:
        """Add a generation that began `age` seconds ago, and return its id.

        `details` are the other fields of a Job: kind, model, prompt, code, reason.
        """
        account = self.accounts[provider]
        job = Job(
            id=account.new_id() if id is None else id,
            timeline=Timeline.of(script),
            started=self.clock.monotonic() - age,
            created_at=self.clock.now() - timedelta(seconds=age),
            **details,
        )
        account.add(job)
        return job.id

    def url(self, provider: str) -> str:
        """Return the base URL that a client of this provider is to be given."""
        return f"{self.origin}/{provider}{APIS[provider].base}"

    def answer(self, call: Call) -> Answering:
        """Log a call and answer it."""
        self.requests.append(call)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            return (yield from self._answer(call))
        finally:
            self.open -= 1

    def _answer(self, call: Call) -> Answering:
        if call.provider == FOLDER:
            return open_link(call, self.clock.now())
        if call.provider not in APIS:
            return _NOT_FOUND
        api, account = APIS[call.provider], self.accounts[call.provider]
        refused = self._refused(call, api, account)
        if refused is not None:
            return refused
        fault = self._fault(account)
        if fault in FAULTY_STATUS:
            return error_reply(api.error, FAULTY_STATUS[fault], fault.name, call, account)
        reply = yield from api.answer(call, account)
        return spoilt(reply, fault) if reply.manner is Manner.WHOLE else reply

    def _refused(self, call: Call, api: Api, account: Account) -> Reply | None:
        if call.key is None or (self.key is not None and call.key != self.key):
            return error_reply(api.error, 401, "Invalid API key", call, account)
        limit = account.switches.limit
        if limit is None:
            return None
        meter = self._meters.setdefault((call.provider, call.key), Meter())
        wait = meter.wait(call.at, limit)
        if not wait:
            return None
        document = api.error(429, "Rate limit exceeded", call, account)
        return refusal(document, wait, account.switches.retry_after, self.clock.now())

    def _fault(self, account: Account) -> Fault:
        switches = account.switches
        if switches.fault is Fault.OFF or self.chance.random() >= switches.fault_share:
            return Fault.OFF
        return switches.fault

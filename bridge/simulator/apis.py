"""All simulated APIs together, without a network: a call in, a reply out; others do the waiting.

To add an API: write `vendors/<name>.py` and put the name into NAMES below, which is all. The name
is the provider's, the file's has `_` for `-`. The file ends with `API = Api(...)`:

* `creation`: how people begin a generation, for `genbridge simulate` to tell.
* `words`: its own words for each rung, so that one script (queued, dreaming, completed, failed;
  cancelled, expired, moderated) serves all APIs. A script may also hold the API's own words.
* `document(picture)`: its document of a generation; a Picture has the word, the rank, progress,
  times and links, and the switches.
* `error(status, message, call, account)`: its error document, or a whole Reply where it tells an
  error within a 200.
* `answer(call, account)`: a Reply, or a generator that waits (a hold); `single_reply`,
  `create_reply`, `begin`, `second_reply`, `unknown_reply`, `no_such_path` do what is common, and
  `account.pictures(account.newest(call.at), call.at)` is a list with its replicas.
* `door` where the key is not a Bearer key, `hook` where a creation may ask for callbacks, `ids`
  where ids are no UUIDs, `base` where base_url has a path, `link_life` where it is not an hour.

`vendors/luma_agents.py` is the shortest example.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from random import Random
from typing import Any

from bridge.core.ports import Clock
from bridge.simulator.account import Account
from bridge.simulator.api import Api
from bridge.simulator.exchange import Answering, Call, Manner, Reply
from bridge.simulator.faults import spoilt
from bridge.simulator.gate import Gate, told
from bridge.simulator.links import FOLDER, open_link
from bridge.simulator.outbox import Callback
from bridge.simulator.picture import Job
from bridge.simulator.switches import Switches
from bridge.simulator.timeline import DEFAULT_SCRIPT, Script, Timeline

NAMES = (
    "aimlapi-luma",
    "luma-agents",
    "dream-machine",
    "relay-luma",
    "relay-luma-own",
    "relay-suno",
    "relay-udio",
    "relay-midjourney",
    "relay-runway",
    "flux",
    "kling",
    "minimax",
    "minimax-v2",
    "runway",
    "replicate",
    "openai-videos",
    "openai-batch",
    "fal",
    "veo",
    "aimlapi-video",
    "aimlapi-suno",
    "stability",
    "heygen",
    "pika",
    "ideogram",
)
"""The simulated APIs, in the order in which they are told; one a line."""


def _loaded(name: str) -> Api:
    module = import_module(f"bridge.simulator.vendors.{name.replace('-', '_')}")
    api: Api = module.API
    return api


APIS: Mapping[str, Api] = {name: _loaded(name) for name in NAMES}
"""Every simulated API by its provider's name, which is also the prefix of its path."""

_LOGGED = 200_000
_NOT_FOUND = Reply(status=404, headers=(("content-type", "text/plain"),))


@dataclass(kw_only=True)
class Apis:
    """The simulated APIs: what they know, what they were asked, and what they answer.

    `origin` is where links are served. `key` is the only good key; None: any is. `wall` is the
    clock that clients live by, where it is another one. `requests` holds the last 200,000 calls,
    `open` counts those not yet answered, `outbox` has the callbacks that are to be posted.
    """

    clock: Clock
    chance: Random
    switches: Switches
    origin: str = ""
    key: str | None = field(default=None, repr=False)
    wall: Clock | None = None
    accounts: dict[str, Account] = field(init=False)
    requests: deque[Call] = field(init=False, default_factory=lambda: deque(maxlen=_LOGGED))
    open: int = field(init=False, default=0)
    most_open: int = field(init=False, default=0)
    outbox: list[Callback] = field(init=False, default_factory=list)
    _gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self._gate = Gate(chance=self.chance, key=self.key)
        self.accounts = {name: self._account(api) for name, api in APIS.items()}
        self.move(self.origin)

    def _account(self, api: Api) -> Account:
        return Account(
            clock=self.clock,
            wall=self.wall or self.clock,
            chance=self.chance,
            switches=self.switches,
            words=api.words,
            ids=api.ids,
            link_life=api.link_life,
            outbox=self.outbox,
        )

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

        `details` are the other fields of a Job: kind, model, prompt, code, reason, place.
        """
        account = self.accounts[provider]
        job = Job(
            id=account.ids(account.chance) if id is None else id,
            timeline=Timeline.of(script, account.words),
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
        call = _prefixed(call)
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
        fault = self._gate.fault(account)
        stopped = self._gate.refused(call, api, account) or told(fault, call, api, account)
        if stopped is not None:
            return stopped
        made = api.answer(call, account)
        reply = made if isinstance(made, Reply) else (yield from made)
        return spoilt(reply, fault) if reply.manner is Manner.WHOLE else reply


def _prefixed(call: Call) -> Call:
    """Return the call with the prefix that a path at the root has left out."""
    if call.provider in APIS or call.provider == FOLDER:
        return call
    path = f"/{call.provider}{call.path}"
    for name, api in APIS.items():
        if api.at_root is not None and path.startswith(api.at_root):
            return replace(call, provider=name, path=path)
    return call

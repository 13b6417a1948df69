"""A process that writes for ever and says so after each commit.

`python -m tests.store.acking FILE` prints `ack ID` once a change is committed, and `err` where
the store cannot write now.
"""

# ruff: noqa: T201  (it speaks through its standard output)
import sys
from pathlib import Path
from uuid import uuid4

import anyio

from bridge.core.ladder import State
from bridge.errors import StoreUnavailable
from bridge.store.sqlite import SqliteStore
from tests.store.world import HandClock, claimed, settled, step, to, wish


async def main(path: Path) -> None:
    store = await SqliteStore.open(path, clock=HandClock(), uid=uuid4)
    await store.webhooks(["name:one"])
    print("ready", flush=True)
    while True:
        try:
            await _one(store, str(uuid4()))
        except StoreUnavailable:
            print("err", flush=True)
            await anyio.sleep(0.01)


async def _one(store: SqliteStore, name: str) -> None:
    (watch,) = (await store.register([wish(name)])).started
    change = step(watch, State.COMPLETED, to(room=False), ended=True)
    await store.write([change], [])
    print(f"ack {change.message.id}", flush=True)
    for delivery in await claimed(store):
        await store.write([], [settled(delivery)])


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))

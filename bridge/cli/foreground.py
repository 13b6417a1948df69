"""Work in the foreground, until it is done or somebody has had enough."""

import signal
from collections.abc import Awaitable, Callable

import anyio

from bridge.errors import GenbridgeError


def until_told(work: Callable[[], Awaitable[object]]) -> bool:
    """Do the work; return whether it came to its end before SIGINT or SIGTERM did.

    It is cancelled by them, so that its blocks can be left in order. An error of ours that it
    raises comes through as it is.
    """
    try:
        return anyio.run(
            _until_told, work, backend="asyncio", backend_options={"use_uvloop": True}
        )
    except BaseExceptionGroup as group:
        raise _ours(group) or group from None


async def _until_told(work: Callable[[], Awaitable[object]]) -> bool:
    done = False
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks:

            async def stop() -> None:
                async for _ in signals:
                    tasks.cancel_scope.cancel()

            tasks.start_soon(stop)
            await work()
            done = True
            tasks.cancel_scope.cancel()
    return done


def _ours(error: BaseException) -> GenbridgeError | None:
    if isinstance(error, BaseExceptionGroup):
        return next((found for e in error.exceptions if (found := _ours(e))), None)
    return error if isinstance(error, GenbridgeError) else None

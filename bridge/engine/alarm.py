"""The alarm: tells people of a webhook in trouble, in the log and at another webhook."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bridge.core.delivering.alerts import Cause, alert, hour
from bridge.core.delivering.delivery import Alert
from bridge.core.ports import Clock, Log
from bridge.engine.lane import Lane


class Alarm:
    """Makes operational events; `find` returns the id of a webhook that is sent to, by its name."""

    def __init__(
        self, *, find: Callable[[str], int | None], clock: Clock, log: Log
    ) -> None:
        self._find = find
        self._clock = clock
        self._log = log

    def failing(self, lane: Lane, share: int, reason: str) -> tuple[Alert, ...]:
        """Tell that nothing was accepted for a share of `disable_after`, in per cent."""
        cause = replace(
            self._cause(lane, "webhook.failing", reason), mark=str(share), share=share
        )
        self._log.warning("webhook failing", **_told(cause))
        return self._sent(lane, cause)

    def disabled(self, lane: Lane, reason: str) -> tuple[Alert, ...]:
        """Tell that a webhook is switched off."""
        cause = self._cause(lane, "webhook.disabled", reason)
        self._log.error("webhook disabled", **_told(cause))
        return self._sent(lane, cause)

    def recovered(self, lane: Lane) -> tuple[Alert, ...]:
        """Tell that a webhook accepts again of which people were told before."""
        cause = self._cause(lane, "webhook.recovered", "a delivery was accepted")
        self._log.info("webhook recovered", **_told(cause))
        return self._sent(lane, cause)

    def forbidden(self, lane: Lane, reason: str) -> tuple[Alert, ...]:
        """Tell that the address of a webhook must not be contacted."""
        cause = self._cause(lane, "webhook.forbidden", reason)
        self._log.error("webhook forbidden", **_told(cause))
        return self._sent(lane, cause)

    def given_up(self, lane: Lane) -> tuple[Alert, ...]:
        """Tell how many deliveries were given up since the last time, once in an hour at most."""
        this = hour(self._clock.now())
        if not lane.given_up or lane.given_up_told == this:
            return ()
        cause = replace(
            self._cause(lane, "delivery.exhausted", lane.given_up_why),
            # What is told each hour has nothing to do with streaks.
            streak=0,
            mark=this,
            count=lane.given_up,
        )
        lane.given_up, lane.given_up_told = 0, this
        self._log.error("deliveries given up", **_told(cause))
        return self._sent(lane, cause)

    def unrendered(self, lane: Lane, reason: str) -> tuple[Alert, ...]:
        """Tell that a format cannot make a body of a message, once in an hour at most."""
        this = hour(self._clock.now())
        if lane.unrendered_told == this:
            return ()
        lane.unrendered_told = this
        cause = self._cause(lane, "delivery.unrendered", reason)
        cause = replace(cause, streak=0, mark=this)
        self._log.error("a body cannot be rendered", **_told(cause))
        return self._sent(lane, cause)

    def _cause(self, lane: Lane, type_: str, reason: str) -> Cause:
        circuit = lane.circuit
        age = 0.0 if circuit.since is None else self._clock.monotonic() - circuit.since
        began = None
        if circuit.since is not None:
            began = self._clock.now() - timedelta(seconds=age)
        return Cause(
            type=type_,
            key=lane.key,
            webhook=lane.webhook.name,
            streak=circuit.streak,
            condition=lane.condition,
            since=began,
            failures=circuit.failures,
            reason=reason,
        )

    def _sent(self, lane: Lane, cause: Cause) -> tuple[Alert, ...]:
        name = lane.webhook.alerts
        to = None if name is None else self._find(name)
        if to is None or to == lane.id:
            return ()
        return (alert(cause, to=to, now=self._clock.now()),)


def _told(cause: Cause) -> dict[str, object]:
    """Return what the log says of a cause."""
    numbers = {"share": cause.share, "count": cause.count}
    return {
        "webhook": cause.webhook,
        "reason": cause.reason,
        "failures": cause.failures,
        **{name: number for name, number in numbers.items() if number is not None},
    }

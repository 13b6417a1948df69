from datetime import UTC, datetime

from bridge.cli.stage.curtain import Curtain


class Clock:
    time = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.time


def test_time_stands_still_until_the_first_reading_after_everything_is_ready() -> None:
    clock = Clock()
    curtain = Curtain(clock)
    seen = []
    for moment in (100.0, 103.0):
        clock.time = moment
        seen.append(curtain.monotonic())
    curtain.ready()
    for moment in (110.0, 111.5, 120.0):
        clock.time = moment
        seen.append(curtain.monotonic())
    assert seen == [100.0, 100.0, 100.0, 101.5, 110.0]


def test_the_wall_time_never_stands_still() -> None:
    assert Curtain(Clock()).now() == Clock().now()

from datetime import UTC, datetime

from bridge.telemetry.repeats import Repeats


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time, UTC)

    def monotonic(self) -> float:
        return self.time


def test_the_first_of_a_subject_is_written_at_once() -> None:
    repeats = Repeats(Clock())
    assert repeats.unwritten("studio") == 0
    assert repeats.unwritten("team") == 0


def test_what_repeats_is_written_once_a_minute_with_the_count_of_the_others() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    written = []
    for second in range(150):
        clock.time = float(second)
        written.append((second, repeats.unwritten("studio")))
    assert [line for line in written if line[1] is not None] == [
        (0, 0),
        (60, 59),
        (120, 59),
    ]


def test_subjects_that_have_fallen_silent_are_forgotten() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    for number in range(10_000):
        repeats.unwritten(number)
    repeats.unwritten(1)
    clock.time = 61.0
    assert repeats.unwritten("new") == 0
    assert repeats.unwritten(1) == 0, "its count went with it"

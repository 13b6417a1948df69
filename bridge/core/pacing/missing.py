"""When a generation that its provider does not know is lost (PROVIDERS.md, rule 13)."""

from dataclasses import dataclass

IN_A_ROW = 3
OVER = 120.0
OLDER_THAN = 60.0
"""Three misses in a row, over at least two minutes, on a generation older than one minute."""


@dataclass(slots=True, kw_only=True)
class Misses:
    """The misses in a row of one generation; moments in seconds."""

    count: int = 0
    since: float = 0.0

    def note(self, now: float) -> None:
        """Note one more."""
        if not self.count:
            self.since = now
        self.count += 1

    def forget(self) -> None:
        """Any answer that has seen the generation starts the count anew."""
        self.count = 0

    def lost(
        self, now: float, *, age: float, seen_before: bool, gone_is_final: bool
    ) -> bool:
        """Return whether the generation is to be called lost."""
        if gone_is_final and seen_before and self.count >= 2:
            return True
        return self.count >= IN_A_ROW and now - self.since >= OVER and age > OLDER_THAN

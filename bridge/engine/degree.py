"""How rich the messages for a receiver are: one that keeps refusing the rich ones is spared."""

from dataclasses import dataclass

from bridge.core.ports import Form

IN_A_ROW = 3
"""Messages in a row that had to be made poorer until the rich form is no longer tried."""

SPARED = 3600.0
"""Seconds until it is tried again."""


@dataclass(slots=True)
class Degree:
    """The richest form that is tried, until a moment on the monotonic clock."""

    form: Form = Form.FULL
    until: float = 0.0
    refused: int = 0

    def at(self, now: float) -> Form:
        """Return the form to begin with."""
        if self.form is not Form.FULL and now >= self.until:
            self.form, self.refused = Form.FULL, 0
        return self.form

    def accepted(self, form: Form, now: float) -> bool:
        """Note the form that was taken in the end; return whether it is spared from now on."""
        if form <= self.form:
            self.refused = 0
            return False
        self.refused += 1
        if self.refused < IN_A_ROW:
            return False
        self.form, self.until, self.refused = form, now + SPARED, 0
        return True

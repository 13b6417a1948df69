"""The standard body of DESIGN, section 5: for receivers that were written for genbridge."""

from dataclasses import dataclass

from bridge.core.delivering.acknowledgement import Acknowledgement, Unclear
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form, Limits, Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """Sends events as they are stored; `raw: false` leaves out the provider's own document."""

    raw: bool = True

    @property
    def limits(self) -> Limits:
        """Whatever the receiver says."""
        return Limits()

    @property
    def signed(self) -> bool:
        """Every receiver can verify it."""
        return True

    def render(self, message: Message, form: Form = Form.FULL) -> Rendered:
        """Return the stored bytes; only the full form carries the provider's document."""
        whole = self.raw and form is Form.FULL
        return Rendered(body=message.whole() if whole else message.body)

    def read(self, response: Response) -> Acknowledgement:  # noqa: ARG002  (says nothing special)
        """Return that the status decides: this receiver speaks plain HTTP."""
        return Unclear()

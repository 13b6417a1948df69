"""A callback: a webhook that a caller of the API brings along, with a secret of its own."""

from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Where a caller wants to be told, as a checked URL, and what its deliveries are signed with.

    The same URL with another secret is another webhook: two callers may share a receiver.
    """

    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """The name of the webhook in the store; it tells neither the URL nor the secret."""
        told = f"{self.url}\n{self.secret or ''}".encode()
        return f"callback:{sha256(told).hexdigest()}"


def callback_name(webhook: int) -> str:
    """Return the name by which people and the log know a callback's webhook."""
    return f"callback {webhook}"

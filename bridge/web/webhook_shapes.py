"""The shapes of what the API answers of webhooks and their keys."""

from typing import Literal

from pydantic import ConfigDict, Field

from bridge.web.shapes import Cursor, Shape, StateWord


class KeyShape(Shape):
    """A secret, without telling it."""

    model_config = ConfigDict(extra="forbid", title="Key")

    kind: Literal["v1", "v1a"]
    fingerprint: str = Field(description="8 digits of the SHA-256 of its bytes.")
    public: str | None = Field(description="`whpk_…` of an ed25519 key.")


class HealthShape(Shape):
    """What the store remembers of a webhook's failures."""

    model_config = ConfigDict(extra="forbid", title="Health")

    failing_seconds: float | None = Field(
        description="Age of the streak of failures; null: there is none."
    )
    failures: int = Field(description="Attempts that failed in it.")
    told: int = Field(description="Per cent of `disable_after` that was told of last.")


class LiveShape(Shape):
    """How a webhook stands in the process that answers."""

    model_config = ConfigDict(extra="forbid", title="Standing")

    breaker: Literal["closed", "open", "half-open"]
    concurrency: int = Field(description="Attempts that may be under way now.")
    in_flight: int
    pause_seconds: float


class WebhookShape(Shape):
    """Where events go."""

    model_config = ConfigDict(extra="forbid", title="Webhook")

    name: str
    url: str = Field(description="scheme://host/… for the rest may be secret.")
    format: str
    states: list[StateWord]
    signed: bool
    keys: list[KeyShape]
    callback: bool = Field(description="Whether a caller brought it along.")
    condition: Literal["active", "paused", "disabled"]
    pause_seconds: float = Field(
        description="How long nothing is sent to it; 0: not at all."
    )
    reason: str | None = Field(description="Why it is paused, disabled or waits.")
    breaker: Literal["closed", "open", "half-open"]
    health: HealthShape
    rate_per_second: float | None
    concurrency: int = Field(description="Attempts under way at once, at most.")
    live: LiveShape | None = Field(description="null: this process sends nothing to it.")


class WebhooksShape(Shape):
    """A page of webhooks."""

    model_config = ConfigDict(extra="forbid", title="Webhooks")

    webhooks: list[WebhookShape]
    next: Cursor


class ResumedShape(Shape):
    """A webhook that was resumed, and how many deliveries wait for it."""

    model_config = ConfigDict(extra="forbid", title="Resumed")

    waiting: int
    webhook: WebhookShape


class PublicKeyShape(Shape):
    """A public key as RFC 8037 writes it, and as `whpk_…`."""

    model_config = ConfigDict(extra="forbid", title="PublicKey")

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    use: Literal["sig"]
    alg: Literal["EdDSA"]
    kid: str = Field(description="The key's fingerprint.")
    x: str
    whpk: str = Field(description="The same key as the verifier of genbridge takes it.")


class PublicKeysShape(Shape):
    """Every public key that deliveries may be signed with: a JSON Web Key Set (RFC 7517)."""

    model_config = ConfigDict(extra="forbid", title="PublicKeys")

    keys: list[PublicKeyShape]

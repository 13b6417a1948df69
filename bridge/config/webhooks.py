"""Webhooks: what their records mean, held against the machine, and what deserves a warning."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.config.access import (
    BasicRecord,
    BearerRecord,
    OAuth2Record,
    TlsRecord,
)
from bridge.config.environment import Environment
from bridge.config.mistakes import Path as Steps
from bridge.config.reading import Reader
from bridge.config.records import WebhookRecord
from bridge.core.delivering.auth import Auth, Basic, Bearer, OAuth2
from bridge.core.delivering.retry import DEFAULT_SCHEDULE, RetryPolicy
from bridge.core.delivering.signing import Key, Kind
from bridge.core.ladder import State
from bridge.core.network.addresses import Allow
from bridge.core.network.certificate import ends
from bridge.core.network.proxy import read_proxy
from bridge.core.network.urls import barred, in_the_clear
from bridge.core.network.way import Way
from bridge.core.ports import Editor
from bridge.core.settings import Order, Rate, Webhook

_AHEAD = timedelta(days=21)
"""How long before its end a certificate is warned of (DELIVERY, section 8)."""

_MOST_SLOTS = 4096

CREDENTIALS = Path("/run/credentials")
"""Where systemd puts the credentials of each unit, in a folder of its name (systemd.exec(5))."""

Warn = Callable[[Steps, str], None]


class Webhooks:
    """Makes webhooks of their records; what is wrong goes to the reader, the rest to `warn`.

    `strict`: what will only fail when it is used, such as an expired certificate, is a mistake.
    """

    def __init__(
        self,
        reader: Reader,
        warn: Warn,
        environment: Environment,
        allow: Allow | None,
        *,
        strict: bool,
    ) -> None:
        self._reader = reader
        self._warn = warn
        self._environment = environment
        self._allow = allow
        self._strict = strict

    def webhook(self, name: str, record: WebhookRecord, form: Any) -> Webhook:  # noqa: ANN401  (built from what the catalog gave)
        """Return a webhook; whatever is wrong with it was said."""
        path: Steps = ("webhooks", name)
        keys = self._keys(path, record)
        self._warn_of_clear_text((*path, "url"), record.url)
        self._warn_of_signature(path, keys, signed=form.signed)
        self._check_hub_signature(path, record, keys)
        self._take_advice((*path, "format"), form, record.url)
        self._check_live(path, record, form)
        return Webhook(
            name=name,
            url=record.url,
            keys=keys,
            headers=tuple(record.headers.items()),
            timeout=record.timeout,
            concurrency=record.concurrency,
            rate=record.rate_limit or _preset(form.limits.rate),
            order=record.order,
            disable_after=record.disable_after,
            alerts=record.alerts,
            retry=_retry(record),
            format_name=record.format,
            format=form,
            states=frozenset(State if record.states is None else record.states),
            auth=self._auth(path, record),
            way=self._way(path, record),
            hub_signature=record.hub_signature,
        )

    def compare(self, webhooks: Mapping[str, Webhook]) -> None:
        """Warn of what shows only when all webhooks are known."""
        self._compare_secrets(webhooks)
        slots = _MOST_SLOTS
        if self._environment.descriptors is not None:
            slots = min(slots, self._environment.descriptors // 2)
        if len(webhooks) > slots // 2:
            self._warn(
                ("webhooks",),
                f"{len(webhooks):,} webhooks are more than half of the {slots:,} attempts "
                "that may be under way at once: many that hang would hold up the others; "
                "raise the limit of open files",
            )

    # ---------------------------------------------------------------------------- signing

    def _keys(self, path: Steps, record: WebhookRecord) -> tuple[Key, ...]:
        keys: list[Key] = []
        for number, key in enumerate(record.secret or ()):
            if key in keys:
                self._warn((*path, "secret", number), "the same secret twice")
            else:
                keys.append(key)
        return tuple(keys)

    def _warn_of_signature(self, path: Steps, keys: Sequence[Key], *, signed: bool) -> None:
        if signed and not keys:
            self._warn(
                path,
                "without a secret nothing is signed: the receiver cannot tell who calls; "
                "make one with `genbridge keys new`",
            )
        if keys and all(key.kind is Kind.ED25519 for key in keys):
            self._warn(
                (*path, "secret"),
                "no official library verifies ed25519 (v1a): put a whsec_ secret beside it",
            )

    def _check_hub_signature(
        self, path: Steps, record: WebhookRecord, keys: Sequence[Key]
    ) -> None:
        if record.hub_signature and (not keys or keys[0].kind is not Kind.HMAC):
            self._reader.complain(
                (*path, "hub_signature"),
                "needs a `secret` that begins with whsec_ and comes first",
                hint="its whole text is the key that the receiver is given",
            )

    def _compare_secrets(self, webhooks: Mapping[str, Webhook]) -> None:
        owners: dict[tuple[Kind, bytes], str] = {}
        for name, webhook in webhooks.items():
            for key in webhook.keys:
                owner = owners.setdefault((key.kind, key.material), name)
                if owner != name:
                    path = ("webhooks", name, "secret")
                    self._warn(path, f"the same secret as webhook {owner}'s")

    def _check_live(self, path: Steps, record: WebhookRecord, form: Any) -> None:  # noqa: ANN401  (as above)
        """Refuse edits that could put an older state in the place of a newer one."""
        live = isinstance(form, Editor) and form.live
        if live and record.order is not Order.STRICT:
            self._reader.complain(
                (*path, "order"),
                "`live` needs `order: strict`: a message is edited in the order of the states",
                hint="leave `order` out",
            )

    def _take_advice(self, path: Steps, form: Any, url: str) -> None:  # noqa: ANN401  (as above)
        advice = getattr(form, "advice", None)
        for sentence in () if advice is None else advice(url):
            self._warn(path, sentence)

    # -------------------------------------------------------------------------- who we are

    def _auth(self, path: Steps, record: WebhookRecord) -> Auth | None:
        said = record.auth
        if said is None:
            return None
        if any(name.lower() == "authorization" for name in record.headers):
            self._reader.complain(
                (*path, "auth"), "`headers` has an authorization already", key=True
            )
        match said:
            case BasicRecord():
                if ":" in said.username:
                    where = (*path, "auth", "username")
                    self._reader.complain(where, "a user name holds no colon")
                return Basic(username=said.username, password=said.password)
            case BearerRecord():
                return Bearer(token=said.token)
            case OAuth2Record():
                self._warn_of_clear_text((*path, "auth", "token_url"), said.token_url)
                return OAuth2(
                    token_url=said.token_url,
                    client_id=said.client_id,
                    client_secret=said.client_secret,
                    scope=said.scope,
                    audience=said.audience,
                    send=said.send,
                )
            case _:  # an UnknownAuthRecord is never good
                return None

    def _way(self, path: Steps, record: WebhookRecord) -> Way:
        tls = record.tls
        if tls is not None:
            self._check_files((*path, "tls"), tls, record.url)
        if record.proxy is not None:
            self._check_proxy((*path, "proxy"), record.proxy)
        if tls is None:
            return Way(proxy=record.proxy)
        return Way(ca=tls.ca, cert=tls.cert, key=tls.key, proxy=record.proxy)

    def _check_proxy(self, path: Steps, text: str) -> None:
        proxy = read_proxy(text)
        why = None if self._allow is None else barred(proxy.origin, self._allow)
        if why is not None:
            self._warn(path, f"{why}: list it under network.allow, or nothing goes through")
        if proxy.scheme != "socks5":
            self._warn(
                path,
                "this proxy resolves names itself: a name that this machine cannot resolve "
                "is not judged by the address guard",
            )
        if (
            proxy.username is not None
            and proxy.scheme == "http"
            and in_the_clear(proxy.origin)
        ):
            self._warn(path, "http:// shows the proxy's password to everybody on the way")

    def _check_files(self, path: Steps, tls: TlsRecord, url: str) -> None:
        if tls.ca is None and tls.cert is None and tls.key is None:
            self._reader.complain(path, "names no file", hint="ca, or cert and key")
        if tls.key is not None and tls.cert is None:
            message = "a key without the certificate that it belongs to"
            self._reader.complain((*path, "key"), message, hint="name it under `cert`")
        if url.startswith("http://"):
            self._warn(path, "an http:// URL speaks no TLS: the files are not used")
        for name, file in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
            if file is not None:
                self._check_file((*path, name), name, Path(file))

    def _check_file(self, path: Steps, name: str, file: Path) -> None:
        if self._strict and self._unseen(file):
            self._warn(
                path, "taken as present: the folder of credentials cannot be read here"
            )
            return
        try:
            content = self._environment.read_pem(file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._object(path, f"the file cannot be read: {reason}")
            return
        for trouble, grave in _troubles(name, content, self._environment.now()):
            if grave:
                self._object(path, trouble)
            else:
                self._warn(path, trouble)

    def _unseen(self, file: Path) -> bool:
        """Return whether a file is one of systemd's credentials, which the daemon alone may read.

        The unit's `check` before a reload may not, and must not make the reload fail.
        """
        return self._environment.credentials is None and CREDENTIALS in file.parents

    def _object(self, path: Steps, message: str) -> None:
        """Refuse for `check`; for `run`, where one webhook must not stop all, warn."""
        if self._strict:
            self._reader.complain(path, message)
        else:
            self._warn(path, f"{message}: its deliveries will fail until it is mended")

    def _warn_of_clear_text(self, path: Steps, url: str) -> None:
        if in_the_clear(url):
            self._warn(path, "http:// sends keys and contents unencrypted; use https://")


def _troubles(name: str, content: bytes, now: datetime) -> Iterator[tuple[str, bool]]:
    """Yield what is wrong with a PEM file, and whether nothing can be done with it."""
    if name == "key":
        if b"PRIVATE KEY-----" not in content:
            yield "holds no private key in PEM", True
        elif b"ENCRYPTED" in content:
            yield "the key is encrypted; genbridge has no password for it", True
        return
    try:
        end = ends(content)
    except ValueError:
        yield "holds no certificate in PEM", True
        return
    if end <= now:
        yield f"a certificate in this file expired on {end:%Y-%m-%d}", name == "cert"
    elif end - now <= _AHEAD:
        days = (end - now).days
        yield f"a certificate in this file expires on {end:%Y-%m-%d}, in {days} days", False


def _retry(record: WebhookRecord) -> RetryPolicy:
    schedule = record.retry.schedule
    return RetryPolicy(
        schedule=DEFAULT_SCHEDULE if schedule is None else tuple(schedule),
        jitter=record.retry.jitter,
    )


def _preset(rate: float | None) -> Rate | None:
    return None if rate is None else Rate(per_second=rate)

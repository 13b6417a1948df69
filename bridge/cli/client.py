"""The client: what commands say to the running daemon, over its API.

It is plain httpx and loads nothing of the daemon's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from bridge import __version__
from bridge.config import Environment, server_of
from bridge.core.network.urls import check_url
from bridge.core.settings import Server
from bridge.errors import ConfigError, GenbridgeError, NoDaemon

PATIENCE = httpx.Timeout(30.0, connect=5.0)
"""A registration waits for a commit, and that for a disk."""

LONG_PATIENCE = httpx.Timeout(300.0, connect=5.0)
"""A trial waits for its turn and for the receiver, resuming for thousands of rows."""

_USAGE = frozenset({400, 401, 403, 422})
"""Statuses that mean a mistake on the command line, or a wrong token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the daemon is: a URL without a path; `token` None: it needs none."""

    url: str
    token: str | None

    def __repr__(self) -> str:
        return f"Place(url={self.url!r})"


_UNKNOWN_CALLER = (
    "the token is missing or wrong: set GENBRIDGE_TOKEN, or name the configuration by -c"
)


class Refused(GenbridgeError):
    """The daemon refused a request; `exit_code` 2 where the command line is to blame."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.exit_code = 2 if status in _USAGE else 1


def place(
    config: Path, *, url: str | None, token: str | None, chosen: bool = True
) -> Place:
    """Return where the daemon is, from the command line, else from the configuration.

    `chosen` says whether somebody has named that file: one that is only the default may be
    missing. Raises ConfigError for a wrong one, NoDaemon where it says that nothing listens.
    """
    if url is not None:
        return Place(url=_origin(url), token=token)
    server = Server(token=token)
    if chosen or config.exists():
        server = server_of(config, str(config), environment=Environment.real(), token=token)
    if server.host is None:
        raise NoDaemon(f"{config}: `server.listen` is off: this daemon has no API")
    return Place(url=_local(server.host, server.port), token=token or server.token)


def _origin(url: str) -> str:
    try:
        return check_url(url).rstrip("/")
    except ValueError as error:
        raise ConfigError(f"--url: {error}") from None


def _local(host: str, port: int) -> str:
    """Return the URL of an address that is listened at; every address is this machine's too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Client:
    """Asks the daemon; use it as a context.

    Every call raises NoDaemon where nobody answers, and Refused with the daemon's own words.
    """

    def __init__(
        self, where: Place, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"user-agent": f"genbridge/{__version__}"}
        if where.token is not None:
            headers["authorization"] = f"Bearer {where.token}"
        self._url = where.url
        self._client = httpx.Client(
            headers=headers, timeout=PATIENCE, transport=transport, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def order(self, order: Mapping[str, Any]) -> tuple[Any, bool]:
        """Order a watch; return it, and whether it was begun with this."""
        response = self._ask("POST", "/v1/watches", json=order)
        return response.json(), response.status_code == httpx.codes.CREATED

    def call_off(self, source: str, id_: str) -> Any:  # noqa: ANN401  (a JSON document)
        """End a watch; return it."""
        return self._ask("DELETE", _path(source, id_)).json()

    def watch(self, source: str, id_: str) -> Any:  # noqa: ANN401
        """Return a watch with its timeline."""
        return self._ask("GET", _path(source, id_)).json()

    def watches(self, **query: str) -> Iterator[Any]:
        """Yield watches, newest first, page by page."""
        query["limit"] = "1000"
        while True:
            page = self._ask("GET", "/v1/watches", params=query).json()
            yield from page["watches"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def sources(self) -> Any:  # noqa: ANN401
        """Return the sources and how each stands."""
        return self._ask("GET", "/v1/sources").json()["sources"]

    def deliveries(self, **query: str) -> Iterator[Any]:
        """Yield deliveries, newest first, page by page."""
        query["limit"] = "100"
        while True:
            page = self._ask("GET", "/v1/deliveries", params=query).json()
            yield from page["deliveries"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def delivery(self, id_: int) -> Any:  # noqa: ANN401
        """Return a delivery with every attempt."""
        return self._ask("GET", f"/v1/deliveries/{id_}").json()

    def retry(self, id_: int) -> Any:  # noqa: ANN401
        """Make a delivery due now; return it."""
        return self._ask("POST", f"/v1/deliveries/{id_}/retry").json()

    def replay(self, order: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Begin a replay, or see what it would do; return that."""
        return self._ask("POST", "/v1/deliveries/retry", json=order).json()

    def replays(self) -> Any:  # noqa: ANN401
        """Return the latest replays, newest first."""
        return self._ask("GET", "/v1/replays", params={"limit": "100"}).json()["replays"]

    def webhooks(self) -> Iterator[Any]:
        """Yield webhooks and how they stand, page by page."""
        query = {"limit": "1000"}
        while True:
            page = self._ask("GET", "/v1/webhooks", params=query).json()
            yield from page["webhooks"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def webhook(self, name: str) -> Any:  # noqa: ANN401
        """Return a webhook and how it stands."""
        return self._ask("GET", f"/v1/webhooks/{_quoted(name)}").json()

    def pause(self, name: str, order: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Pause a webhook; return it."""
        return self._ask("POST", f"/v1/webhooks/{_quoted(name)}/pause", json=order).json()

    def resume(self, name: str, order: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Resume a webhook; return it and how many deliveries wait."""
        path = f"/v1/webhooks/{_quoted(name)}/resume"
        return self._ask("POST", path, json=order, timeout=LONG_PATIENCE).json()

    def test(self, name: str, order: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Send an example to a webhook; return the trial."""
        path = f"/v1/webhooks/{_quoted(name)}/test"
        return self._ask("POST", path, json=order, timeout=LONG_PATIENCE).json()

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401
        try:
            response = self._client.request(method, self._url + path, **more)
        except httpx.HTTPError as error:
            raise NoDaemon(_unreached(self._url, error)) from None
        if response.is_success:
            return response
        raise _refusal(response)


def _path(source: str, id_: str) -> str:
    return f"/v1/watches/{_quoted(source)}/{_quoted(id_)}"


def _quoted(text: str) -> str:
    # What the shell gave us may not be UTF-8.
    return quote(text, safe="", errors="surrogateescape")


def _unreached(url: str, error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        why = "nobody listens there"
    elif isinstance(error, httpx.TimeoutException):
        why = "no answer in time"
    else:
        why = type(error).__name__
    return f"the daemon cannot be reached at {url}: {why}; `genbridge run` starts it"


def _refusal(response: httpx.Response) -> GenbridgeError:
    """Return what the daemon said; what does not speak our language is not our daemon."""
    kind = response.headers.get("content-type", "")
    try:
        document = response.json() if kind == "application/problem+json" else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return NoDaemon(
            f"what answers there is no genbridge (status {response.status_code})"
        )
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return Refused(_UNKNOWN_CALLER, response.status_code)
    mistakes = [
        f"{_option(one['path'])}: {one['message']}" for one in document.get("errors", ())
    ]
    if len(mistakes) == 1:
        return Refused(mistakes[0], response.status_code)
    return Refused("\n  ".join([document["detail"], *mistakes]), response.status_code)


def _option(place: str) -> str:
    """Return the place of a mistake as the command line knows it: `$.until` is `until`."""
    return place.removeprefix("$.").lstrip("?").strip("{}")

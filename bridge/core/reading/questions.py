"""The requests that an API is asked with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.core.ladder import State
from bridge.core.looking import Observation, Rejected
from bridge.core.network.exchange import Headers, Request
from bridge.core.reading.api import Api, Call, Holding, Pairs
from bridge.core.reading.ids import address, is_url, own_url
from bridge.core.reading.places import Find, as_text
from bridge.core.reading.templates import (
    UnknownValueError,
    Value,
    Values,
    alone,
    filled_body,
    filled_query,
    filled_text,
    filled_url,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The questions to one API, for one account.

    `home` is the base URL without a slash at its end, `known` what every template may name.
    """

    api: Api
    home: str
    known: Mapping[str, Value] = field(repr=False)

    def place(self, one: str) -> str | Rejected:
        """Return the URL that asks about an id, without the query of the question."""
        url = self.api.get.url
        return address(
            one,
            base_url=self.home,
            template=url if isinstance(url, str) else url(one),
            hosts=self.api.hosts,
        )

    def about(self, one: str, until: State | None = None) -> Request | Rejected:
        """Return the question about one generation; with `until`, one that holds."""
        place = self.place(one)
        if isinstance(place, Rejected):
            return place
        get, hold = self.api.get, self.api.hold
        # A whole URL is asked as it is: the provider has put everything into it.
        query = () if is_url(one) else get.query
        if until is None or hold is None:
            return self._request(get, place, query, {"id": one})
        values = {"id": one, "until": awaited(hold, until)}
        return self._request(_held(get, hold), place, query + hold.query, values)

    def together(
        self, call: Call, ids: tuple[str, ...], until: State | None = None
    ) -> Request | Rejected:
        """Return the question about many generations; with `until`, in the words of a hold."""
        hold = self.api.hold
        if until is None or hold is None:
            return self.call(call, {"ids": ids})
        waiting = replace(_held(call, hold), query=(*call.query, *hold.query))
        return self.call(waiting, {"ids": ids, "until": awaited(hold, until)})

    def call(self, call: Call, values: Values) -> Request | Rejected:
        """Return a question that is no plain look."""
        url = call.url if isinstance(call.url, str) else call.url(str(values.get("id", "")))
        try:
            place = self._filled(url, {**self.known, **values})
        except UnknownValueError as error:
            return Rejected(why=f"the URL wants to know {error}")
        if isinstance(place, Rejected):
            return place
        return self._request(call, place, call.query, values)

    def at(self, link: str) -> Request | Rejected:
        """Return the question at a link that the API itself gave."""
        place = self._own(link)
        if isinstance(place, Rejected):
            return place
        return self._request(Call(url=""), place, (), {})

    def result(self, seen: Observation) -> Request | Rejected:
        """Return the second call about a generation that is completed."""
        result = self.api.result
        if result is None:
            return Rejected(why="this API has no second call")
        link = result.link(seen.raw)
        given = self.at(link) if isinstance(link, str) else None
        if isinstance(given, Request):
            return given
        return self.call(result.call, {"id": seen.id, **texts(result.values, seen.raw)})

    def _filled(self, url: str, values: Values) -> str | Rejected:
        name = alone(url)
        whole = values.get(name) if name else None
        if isinstance(whole, str) and is_url(whole):
            return self._own(whole)
        filled = filled_url(url, values)
        return self._own(filled) if is_url(filled) else self.home + filled

    def _own(self, link: str) -> str | Rejected:
        # Some links begin with the path.
        if link.startswith("/") and not link.startswith("//"):
            scheme, _, rest = self.home.partition("://")
            link = f"{scheme}://{rest.partition('/')[0]}{link}"
        return own_url(link, base_url=self.home, hosts=self.api.hosts)

    def _request(
        self, call: Call, place: str, query: Pairs, values: Values
    ) -> Request | Rejected:
        known = {**self.known, **values}
        text = filled_query(query, known)
        try:
            body = b"" if call.json is None else filled_body(call.json, known)
            headers = self._headers(call, body, known)
        except UnknownValueError as error:
            return Rejected(why=f"the request wants to know {error}")
        mark = "&" if "?" in place else "?"
        url = f"{place}{mark}{text}" if text else place
        return Request(method=call.method, url=url, headers=headers, body=body)

    def _headers(self, call: Call, body: bytes, known: Values) -> Headers:
        several = (*self.api.headers, *call.headers)
        told = {name.lower(): filled_text(text, known) for name, text in several}
        told.setdefault("accept", "application/json")
        if body:
            told.setdefault("content-type", "application/json")
        return tuple(told.items())


def _held(call: Call, hold: Holding) -> Call:
    return replace(call, headers=(*call.headers, *hold.headers))


def awaited(hold: Holding, until: State) -> str:
    """Return the word to wait for; not `failed`: a hold for `completed` ends with it too."""
    rung = min(until, State.COMPLETED)
    return hold.words.get(rung, rung.word)


def texts(finders: Mapping[str, Find], document: object) -> dict[str, Value]:
    """Return what finders find, as text; what is not there is left out."""
    found = ((name, as_text(find(document))) for name, find in finders.items())
    return {name: text for name, text in found if text}

"""Keys of an `http` source that say how an answer is read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self, TypeAlias

from bridge.core.ladder import State
from bridge.core.misfit import Misfit, refuse
from bridge.core.reading import wordform
from bridge.core.reading.declared.expression import Expression, Full, Links
from bridge.core.reading.declared.holes import (
    ALWAYS,
    named,
    place_flaws,
    query_flaws,
    strangers,
)
from bridge.core.reading.declared.values import ByStatus, Codes, Words

Check: TypeAlias = Callable[[Any], Iterable[Misfit]]

MOST_NAMES = 20
"""Values that `with` may find for a template."""


def about(text: str, *, check: Check | None = None, **more: Any) -> Any:  # noqa: ANN401  (as dataclasses)
    """Return a field that may be absent; the text tells what it is, in editors and mistakes.

    `check` yields what is wrong with its value (see `core/misfit.py`).
    """
    default: dict[str, Any] = {"default": None} if "default_factory" not in more else {}
    return field(**{**default, **more}, metadata={"about": text, "check": check})


def needed(text: str) -> Any:  # noqa: ANN401
    """Return a field that must be given; a `url` is a template."""
    return field(metadata={"about": text, "template": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rungs:
    """The API's own words for each rung."""

    queued: Words = about("It waits for its turn.", default_factory=Words)
    dreaming: Words = about("It is being made.", default_factory=Words)
    completed: Words = about("It is there.", default_factory=Words)
    failed: Words = about("It will never be there.", default_factory=Words)

    def __post_init__(self) -> None:
        """Refuse a word that is listed twice: nobody could tell what it means."""
        refuse(self._twice())

    @property
    def listed(self) -> Mapping[State, tuple[wordform.Listed, ...]]:
        """The words of each rung."""
        return {state: getattr(self, state.word).listed for state in State}

    def _twice(self) -> Iterator[Misfit]:
        seen: dict[str, State] = {}
        for state, words in self.listed.items():
            for number, word in enumerate(words):
                first = seen.setdefault(_form(word), state)
                if (first, words.index(word)) != (state, number):
                    yield Misfit(
                        f"this word is listed twice, first under {first.word}",
                        path=(state.word, number),
                        hint="case, and space, - and _, make no difference",
                    )


def _form(word: wordform.Listed) -> str:
    return wordform.folded(word) if isinstance(word, str) else f"the value {word}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """Why a generation failed."""

    code: Expression | None = about("A word or number of the API's.")
    reason: Expression | None = about("A sentence, or an object with one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Where things stand in the document of one generation."""

    id: Expression | None = about("Its id; needed where one document holds several.")
    state: Expression | None = about("The state word; it alone decides about the rung.")
    states: Rungs | None = about("What the words mean.")
    by_status: ByStatus | None = about("HTTP statuses that are the state, body or not.")
    failed_if: Expression | None = about("Turns a known word into failed where it is true.")
    outputs: Links | None = about("Links, or objects with url and perhaps type.")
    failure: Failing | None = about("Why it failed.")
    progress: Expression | None = about("How far it is, as a number or `46%`.")
    of: Full | None = about("What full progress is; default: 1.")
    created_at: Expression | None = about(
        "When it was begun: ISO, seconds or milliseconds."
    )
    model: Expression | None = about("The model's name: its own timings are learnt.")

    def over(self, other: Self | None) -> Self:
        """Return this reading with what another one says differently."""
        if other is None:
            return self
        said = ((f.name, getattr(other, f.name)) for f in fields(other))
        return replace(self, **{name: value for name, value in said if value is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeReading(Reading):
    """Where things stand in the document of one generation."""

    SCHEMA: ClassVar[Mapping[str, Any]] = {
        "anyOf": [{"required": ["state", "states"]}, {"required": ["by_status"]}]
    }

    def __post_init__(self) -> None:
        """Refuse a reading that could never end a watch."""
        refuse(self._gaps())

    def _gaps(self) -> Iterator[Misfit]:
        if self.by_status is None and self.state is None:
            yield Misfit("missing", path=("state",), hint="where the state word stands")
        if self.states is None and (self.by_status is None or self.state is not None):
            yield Misfit("missing", path=("states",), hint="what the API's words mean")
        if self.state is None and self.states is not None:
            yield Misfit("words without `state`, which finds them", path=("states",))
        ends = self.states is not None and bool(self.states.completed.listed)
        statuses = self.by_status.rungs.values() if self.by_status else ()
        if self.states is not None and not ends and State.COMPLETED not in statuses:
            yield Misfit("no word for completed: no watch would ever end", path=("states",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaining:
    """How the API says inside a document that it cannot answer."""

    ok: Expression | None = about("True where nothing is the matter.")
    code: Expression | None = about("A business code; default: code.")
    busy: Codes | None = about("Codes that mean: slow down.")
    refused: Codes | None = about("Codes that mean: this key may not, or has no credit.")
    missing: Codes | None = about("Codes that mean: no such generation.")
    missing_if: Expression | None = about("True where there is no such generation.")
    status: Expression | None = about(
        "An HTTP status in the document; default: statusCode."
    )
    retry_after: Expression | None = about("Seconds to wait; default: retry_after.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The second call, about a generation that is completed."""

    url: str = needed("A path after base_url, or {name} for a link that `with` finds.")
    query: Mapping[str, str] = about("Parameters.", default_factory=dict, repr=False)
    with_: Mapping[str, Expression] = about(
        "Names for the templates, found in the first document.", default_factory=dict
    )
    outputs: Links = needed("Links in the second document.")

    def __post_init__(self) -> None:
        """Refuse templates that name what nobody knows."""
        known = ("id", *ALWAYS, *self.with_)
        refuse(
            [
                *place_flaws(self.url, known),
                *query_flaws(self.query, known),
                *too_many(self.with_),
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """What is to be known of links."""

    live: timedelta | None = about("How long they live that do not say so themselves.")
    renew: bool = about("Whether a fresh look gives fresh links.", default=False)
    key: bool = about("Whether they open only with the source's key.", default=False)
    template: str | None = about(
        "A link that follows from the id: {base_url}, {id}, {asked}."
    )
    type: str = about("What the template's link leads to.", default="file")
    with_: Mapping[str, Expression] = about(
        "Names for the template, found in the document.", default_factory=dict
    )

    def __post_init__(self) -> None:
        """Refuse a template that names what nobody knows, or that would tell the key."""
        refuse([*self._flaws(), *too_many(self.with_)])

    def _flaws(self) -> Iterator[Misfit]:
        template = self.template
        if template is None:
            if self.with_:
                yield Misfit("names without a `template`", path=("with",))
            return
        known = ("base_url", "id", "asked", *self.with_)
        if not template.startswith(("{base_url}", "{asked}", "https://", "http://")):
            hint = "such as {base_url}/jobs/{id}/file"
            yield Misfit("expected a whole link", path=("template",), hint=hint)
        if "key" in named(template):
            yield Misfit("links go to receivers: the key must not", path=("template",))
        else:
            yield from strangers(template, known, ("template",))


def too_many(names: Mapping[str, Expression]) -> Iterator[Misfit]:
    """Yield a misfit where a template is given more names than anybody needs."""
    if len(names) > MOST_NAMES:
        yield Misfit(f"more than {MOST_NAMES} names", path=("with",))
    for name in names:
        if not name.isidentifier() or not name.isascii():
            yield Misfit(
                "a name has letters, digits and _ only", path=("with", name), key=True
            )


Gone = Literal["final"]
"""Rule 13's Runway case: a generation that was seen and is gone does not come back."""

"""Links that no document holds: they follow from the id of what was completed."""

from dataclasses import replace

from bridge.core.looking import Observation, Rejected
from bridge.core.reading.api import LinkTemplate
from bridge.core.reading.dialect import Dialect
from bridge.core.reading.outputs import outputs
from bridge.core.reading.questions import Questions, texts
from bridge.core.reading.templates import UnknownValueError, filled_url, with_plain


def linked(
    seen: Observation,
    link: LinkTemplate,
    questions: Questions,
    dialect: Dialect,
    asked: str | None = None,
) -> Observation:
    """Return a completed generation with its link, as it was where the link cannot be made.

    `asked` is the URL that was asked about it alone; None: the one that would be.
    """
    place = asked or questions.place(seen.id)
    if isinstance(place, Rejected):
        return seen
    plain = {"base_url": questions.home, "asked": place}
    try:
        url = filled_url(
            with_plain(link.template, plain),
            {"id": seen.id, **texts(link.values, seen.raw)},
        )
    except UnknownValueError:
        return seen
    made = outputs(
        {"type": link.type, "url": url},
        observed_at=seen.observed_at,
        life=dialect.life,
        needs_key=dialect.needs_key,
    )
    known = {output.url for output in seen.outputs}
    more = tuple(output for output in made if output.url not in known)
    return replace(seen, outputs=(*seen.outputs, *more))

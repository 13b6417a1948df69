"""Every format of the catalog: within its limits, never broken by what strangers write."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.core.delivering.acknowledgement import Acknowledgement
from bridge.core.examples import GENERATIONS, NOTICES
from bridge.core.looking import Output
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from tests.formats.built import NAMES, built
from tests.formats.events import COMPLETED, FOREIGN, MESSAGES, NASTY_TEXTS, NOW, message
from tests.formats.rules import follow

EXAMPLES = {**GENERATIONS, **NOTICES}
FORMS = st.sampled_from(Form)
every_format = pytest.mark.parametrize("name", NAMES)
few = settings(max_examples=25, deadline=None)
"""For each of a dozen formats; `./run bench formats` takes 10,000."""


def check(name: str, sent: Message, form: Form) -> None:
    """Check one message in one form: rendered at all, the same twice, within every limit."""
    made = built(name)
    rendered = made.render(sent, form)
    assert rendered == made.render(sent, form)
    if rendered is not None:
        assert made.limits.body is None or len(rendered.body) <= made.limits.body
        follow(rendered, name)


@every_format
@few
@given(MESSAGES, FORMS)
def test_any_message_stays_within_the_limits_and_is_no_markup(
    name: str, sent: Message, form: Form
) -> None:
    check(name, sent, form)


@every_format
def test_one_nasty_text_in_every_place_changes_nothing(name: str) -> None:
    for text in NASTY_TEXTS:
        outputs = (Output(type=text, url=f"https://cdn.example/{n}") for n in range(7))
        event = replace(
            COMPLETED,
            source=text,
            generation_id=text,
            native_state=text,
            metadata={f"{text[:100]}{number}": text for number in range(8)},
            outputs=tuple(outputs),
        )
        for form in Form:
            check(name, message(event), form)


@every_format
@pytest.mark.parametrize("kind", EXAMPLES)
@pytest.mark.parametrize("form", Form)
def test_every_kind_of_event_has_a_body(name: str, kind: str, form: Form) -> None:
    rendered = built(name).render(EXAMPLES[kind], form)
    if rendered is None:
        # PagerDuty is told of what needs somebody, and of its end.
        assert name == "pagerduty"
        assert kind in SILENT_FOR_PAGERDUTY
    else:
        assert rendered.body
        follow(rendered, name)


SILENT_FOR_PAGERDUTY = {"generation.queued", "generation.dreaming"}


@every_format
@few
@given(FOREIGN, FORMS)
def test_a_body_that_nobody_knows_breaks_nothing(
    name: str, foreign: Message, form: Form
) -> None:
    check(name, foreign, form)


LONG_LINKS = st.lists(
    st.integers(0, 9000).map(lambda n: f"https://cdn.example/begin{'x' * n}end"), max_size=7
)


@every_format
@few
@given(LONG_LINKS, FORMS)
def test_a_link_is_whole_or_not_there(name: str, links: list[str], form: Form) -> None:
    outputs = tuple(Output(type="image", url=url) for url in links)
    rendered = built(name).render(message(replace(COMPLETED, outputs=outputs)), form)
    assert rendered is not None
    found = re.findall(r"https://cdn\.example/begin\w*", rendered.body.decode())
    assert set(found) <= set(links)


KEEP_METADATA = {
    "pagerduty": "what is completed ends an incident and tells nothing",
    "standard": "its poorer forms leave out `raw` alone",
    "template": "it has one form: the user's",
}
SECRETIVE = "canary-7c1d"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in KEEP_METADATA])
@pytest.mark.parametrize("form", [Form.COMPACT, Form.TEXT])
def test_the_poorer_forms_have_no_metadata(name: str, form: Form) -> None:
    told = message(replace(COMPLETED, metadata={"note": SECRETIVE}))
    assert SECRETIVE in _body(name, told, Form.FULL)
    assert SECRETIVE not in _body(name, told, form)


CARRY_RAW = {"standard", "cloudevents"}


@every_format
def test_only_bodies_for_programs_hold_the_document_of_the_provider(name: str) -> None:
    raw = json.dumps({"inside": SECRETIVE}).encode()
    assert (SECRETIVE in _body(name, message(COMPLETED, raw), Form.FULL)) == (
        name in CARRY_RAW
    )


def _body(name: str, sent: Message, form: Form) -> str:
    rendered = built(name).render(sent, form)
    assert rendered is not None
    return rendered.body.decode()


ANSWERS = st.builds(
    Response,
    status=st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(
            [
                "retry-after",
                "x-ratelimit-reset-after",
                "x-ratelimit-remaining",
                "content-type",
                "webhook-allowed-rate",
            ]
        ),
        st.text(max_size=20) | st.sampled_from(["0", "1", "nan", "inf", "1e400", "-1"]),
    ),
    body=st.binary(max_size=200)
    | st.sampled_from(
        [b"[" * 60_000, b'{"code":' + b"9" * 400 + b"}", b'{"retry_after":1e99}']
    )
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["code", "id", "errors", "retry_after", "message", "ok"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=6,
    ).map(lambda document: json.dumps(document).encode()),
    received_at=st.just(NOW),
    cut=st.booleans(),
)


@every_format
@few
@given(ANSWERS)
def test_any_answer_can_be_read(name: str, answer: Response) -> None:
    found = built(name).read(answer)
    assert isinstance(found, Acknowledgement)
    waits = [getattr(found, "after", None), getattr(found, "pause", None)]
    assert all(wait is None or wait >= timedelta() for wait in waits)
    why = getattr(found, "why", "") or getattr(found, "hint", "") or ""
    assert len(why) <= 500
    assert why.isprintable()


ADVISED: list[tuple[str, str]] = [
    ("flat", "https://n8n.example/webhook-test/a"),
    ("teams", "https://x.webhook.office.com/webhookb2/a"),
    ("discord", "https://discord.com/api/webhooks/1/a/slack"),
    ("slack", "https://hooks.slack.com/triggers/T/1/a"),
]


@pytest.mark.parametrize(("name", "url"), ADVISED)
def test_a_url_that_will_disappoint_is_known_before(name: str, url: str) -> None:
    (advice,) = _advice(name, url)
    assert advice
    assert "/a" not in advice.replace("/api", "")
    assert _advice(name, "https://receiver.example/hooks/7") == ()


def _advice(name: str, url: str) -> tuple[str, ...]:
    made: Any = built(name)
    advice: tuple[str, ...] = made.advice(url)
    return advice


@every_format
def test_advice_says_nothing_of_any_other_url(name: str) -> None:
    made: Any = built(name)
    if hasattr(made, "advice"):
        for url in ("https://a.example", "https://a.example/x?y=z", "http://[::1]:8080/"):
            assert all(isinstance(each, str) for each in made.advice(url))

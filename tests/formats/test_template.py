"""Templates: any body a user can write down, and nothing that stops the daemon."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from bridge.core.delivering.acknowledgement import Unclear, Unconfirmed
from bridge.core.examples import GENERATIONS, NOTICES
from bridge.core.looking import Failure
from bridge.core.message import Message
from bridge.core.network.exchange import Response
from bridge.core.ports import Form
from bridge.core.ports import Format as Port
from bridge.formats.template import Format
from tests.formats.events import COMPLETED, MESSAGES, NOW, message


def body(template: str, sent: Message | None = None) -> str:
    made = Format(template=template, content_type="text/plain")
    rendered = made.render(sent or message(COMPLETED))
    assert rendered is not None
    return rendered.body.decode()


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("{{ type }} {{ timestamp }}", "generation.completed 2026-11-21T08:30:00.123Z"),
        ("{{ title }}|{{ colour }}", "Completed: luma 182bd5e5|2E7D32"),
        ("{{ summary }}", "Completed: luma 182bd5e5, 59 s"),
        ("{{ id }}", "9f0c3c9e-6f0f-5d3e-8a6b-0c1d2e3f4a5b"),
        ("{{ data.metadata.order + 1 }}", "1043"),
        ("{{ (data.progress or 0) * 100 }} %", "100.0 %"),
        ("{{ data.failure }}|{{ data.skipped_states }}", "|[]"),
        ("{{ data.outputs == [] }}", "false"),
        (
            "{% for f in facts %}{{ loop.index }}{{ f.name }} {% endfor %}",
            "1Source 2Generation 3Took ",
        ),
        (
            "{% for link in links %}{{ link.label }}\n{% endfor %}",
            "Open the video\nOpen the preview (image)\n",
        ),
        (
            "{% for k, v in data.metadata.items() %}{{ k ~ '=' ~ v }}{% endfor %}",
            "order=1042",
        ),
        ("{{ data.metadata.get('nobody', 'else') }}", "else"),
        ("{{ data.outputs | map(attribute='type') | join(', ') | upper }}", "VIDEO, IMAGE"),
        ("{{ range(3) | json }}", "[0,1,2]"),
        ("{% with x = 1 %}{% set y = x + 1 %}{{ y }}{% endwith %}", "2"),
        ("{{ '<a> & @here' | slack }}", "&lt;a&gt; &amp; @\u200bhere"),
        ("{{ '*a* [b](c)' | markdown }}", "\\*a\\* \\[b\\](c)"),
        ("{{ ('x' | replace('x', 'y' ~ 'z')) | json }}", '"yz"'),
        ("{{ 'a\"b\n€' | json }}", '"a\\"b\\n\\u20ac"'),
        ("{{ data.generation_id | cut(20) }}", "182bd5e5-6… +26 more"),
        ("<b>{{ '<i>' }}</b>", "<b><i></b>"),
    ],
)
def test_a_template_makes_the_body(template: str, result: str) -> None:
    assert body(template) == result


def test_a_key_is_no_method_and_a_method_no_key() -> None:
    event = replace(COMPLETED, metadata={"items": "seven", "get": 8})
    assert (
        body(
            "{{ data.metadata.items if data.metadata.items is string else '' }}",
            message(event),
        )
        == "seven"
    )
    listed = "{% for k, v in data.metadata.items() %}{{ k ~ v }} {% endfor %}"
    assert body(listed, message(event)) == "itemsseven get8 "
    assert body("{{ data.metadata.get('items', '') }}", message(event)) == "seven"


def test_what_is_only_white_space_is_not_sent() -> None:
    made = Format(template='{% if type == "generation.lost" %} {"lost": true} {% endif %}')
    assert made.render(message(COMPLETED)) is None
    lost = made.render(GENERATIONS["generation.lost"])
    assert lost is not None
    assert json.loads(lost.body) == {"lost": True}


def test_the_content_type_is_the_users() -> None:
    made = Format(template="<x/>", content_type="application/xml; charset=utf-8")
    rendered = made.render(message(COMPLETED))
    assert rendered is not None
    assert rendered.headers == (("content-type", "application/xml; charset=utf-8"),)


ENDLESS = "{% for a in range(1000) %}" * 3 + "{% endfor %}" * 3
LARGE = "{% for a in range(1000) %}" + "x" * 300 + "{% endfor %}"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("\n{{ nobody }}", "line 2: 'nobody' is undefined"),
        ("\n\n{{ data.metadata.nobody | json }}", "line 3: 'dict object' has no attribute"),
        ("{% if %}", "line 1: Expected an expression"),
        ("{{ summary }}", "no JSON"),
        ("{% macro f() %}{% endmacro %}", "macro is not for bodies"),
        ("{% include 'x' %}", "include is not for bodies"),
        ("{% extends 'x' %}", "extends is not for bodies"),
        ("{% block x %}{% endblock %}", "block is not for bodies"),
        ("{% set x %}a{% endset %}", "assignblock is not for bodies"),
        ("{% for x in data recursive %}{% endfor %}", "recursive is not for bodies"),
        ("{{ title.upper() }}", "unsafe"),
        ("{{ title.__class__.__mro__ }}", "unsafe"),
        ("{{ range.__globals__ }}", "unsafe"),
        ("{{ data | attr('x') }}", "No filter named 'attr'"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ 'x' | center(1000000000) }}", "No filter named 'center'"),
        ("{{ [1, 2] | random }}", "No filter named 'random'"),
        ("{{ 'x' * 1000000000 }}", "for numbers only"),
        ("{{ '%1000000000d' % 1 }}", "for numbers only"),
        ("{{ 9 ** 9 ** 9 }}", "not for bodies"),
        ("{{ range(1001) }}", "range ends at 1,000"),
        (ENDLESS, "runs too long"),
        (LARGE, "larger than 256 KiB"),
        ("{% set a = 'xx' %}" + "{% set a = a ~ a %}" * 60, "grow too large"),
        ("{% set a = 'xx' %}" + "{% set a = a + a %}" * 60, "grow too large"),
        ("{% set a = [1] %}" + "{% set a = [a, a] %}" * 60, "grow too large"),
        ("{% set a = 2 %}" + "{% set a = a * a %}" * 60, "number grows too large"),
        ("{{ 'x' | replace('', summary * 1) }}", "for numbers only"),
    ],
)
def test_what_is_wrong_with_a_template_is_said_when_the_file_is_read(
    template: str, why: str
) -> None:
    with pytest.raises(ValueError, match="template") as caught:
        Format(template=template)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"template": "x" * 65_537}, "larger than 64 KiB"),
        ({"template": "1", "content_type": "json"}, "content_type"),
        ({"template": "1", "content_type": "text/plain\r\nx: y"}, "content_type"),
    ],
)
def test_a_source_or_type_that_cannot_be_is_refused(
    options: dict[str, str], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        Format(**options)


UNQUOTED = '{"reason": "{% if data.failure %}{{ data.failure.code }}{% endif %}"}'


def test_a_body_that_is_no_json_after_all_is_not_sent() -> None:
    made = Format(template=UNQUOTED)
    failed = replace(COMPLETED, tag="failed", failure=Failure(code='a"b'))
    assert made.render(GENERATIONS["generation.failed"])
    with pytest.raises(ValueError, match="JSON"):
        made.render(message(failed))


@pytest.mark.parametrize("kind", NOTICES)
def test_an_operational_event_that_it_was_not_written_for_goes_out_as_it_is(
    kind: str,
) -> None:
    sent = NOTICES[kind]
    template = '{"id": {{ data.generation_id | json }}}'
    rendered = Format(template=template).render(sent)
    assert rendered is not None
    assert rendered.body == sent.body
    told = Format(template=template, content_type="text/plain").render(sent)
    assert told is not None
    assert "studio" in told.body.decode()


def test_one_that_it_was_written_for_is_rendered() -> None:
    made = Format(template='{"text": {{ (type ~ ": " ~ data.get("webhook", "")) | json }}}')
    rendered = made.render(NOTICES["webhook.failing"])
    assert rendered is not None
    assert json.loads(rendered.body) == {"text": "webhook.failing: studio"}


QUOTED = Format(
    template='{"m": {{ data.metadata | json }}, "s": {{ data.source | slack | json }}}'
)


@settings(max_examples=50, deadline=None)
@given(MESSAGES)
def test_whatever_is_quoted_stays_within_its_quotes(sent: Message) -> None:
    try:
        rendered = QUOTED.render(sent)
    except ValueError:
        return  # too large
    assert rendered is not None
    if sent.body.startswith(b'{"type":"generation.'):
        assert set(json.loads(rendered.body)) == {"m", "s"}


def test_every_form_is_the_users() -> None:
    made = Format(template="{{ data.metadata | json }}")
    bodies = {made.render(message(COMPLETED), form) for form in Form}
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (200, b"", Unclear),
        (200, b'{"FailedEntryCount": 0, "Entries": []}', Unclear),
        (200, b'{"FailedEntryCount": 1, "Entries": []}', Unconfirmed),
        (500, b'{"FailedEntryCount": 1}', Unclear),
    ],
)
def test_the_status_decides_but_for_eventbridge(
    status: int, text: bytes, kind: type
) -> None:
    port: Port = QUOTED
    assert isinstance(port.read(Response(status=status, body=text, received_at=NOW)), kind)
    assert (port.signed, port.limits.body) == (True, 262_144)

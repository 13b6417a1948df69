"""Every known answer of a receiver is told in plain words, with the next step."""

from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.core.delivering.acknowledgement import Unclear
from bridge.core.delivering.delivery import Result
from bridge.core.delivering.diagnosis import diagnose, stuck
from bridge.core.delivering.retry import DEFAULT_RETRY
from bridge.core.delivering.symptoms import KNOWN, Symptom
from bridge.core.delivering.verdict import judge
from bridge.core.network.exchange import Answer, Phase, Response, Unanswered
from bridge.core.ports import Format
from bridge.plugins import Plugins

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
AGAIN = (Result.AGAIN, "http-401")


def answer(
    status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
) -> Response:
    return Response(status=status, body=body, headers=dict(headers), received_at=NOW)


def _is_needed(option: Field[Any]) -> bool:
    return option.default is MISSING and option.default_factory is MISSING


def symptom(answer: Answer, format_name: str = "standard", host: str = "h") -> Symptom:
    """Return what is known of an attempt, as the format reads it and the verdict judges it."""
    plugin = Plugins().load("format", format_name)
    needed = {f.name: "0123456789" for f in fields(plugin) if _is_needed(f)}
    made: Format = plugin(**needed)
    told = answer if isinstance(answer, Response) else None
    verdict = judge(
        answer,
        Unclear() if told is None else made.read(told),
        tries=0,
        throttles=0,
        policy=DEFAULT_RETRY,
        spread=0.0,
    )
    return Symptom(
        format=format_name,
        url=f"https://{host}/…",
        status=None if told is None else told.status,
        reason=verdict.code,
        sentence=verdict.sentence,
        answer=b"" if told is None else told.body,
    )


@pytest.mark.parametrize(
    ("format_name", "given", "means", "advice"),
    [
        # RECEIVERS, section 1.4, row by row
        ("slack", answer(200, b"ok"), "stands in the channel", ""),
        ("slack", answer(200, b"<html>"), "not as Slack does", "hooks.slack.com"),
        ("slack", answer(429), "one message a second", "nothing needs to be done"),
        ("slack", answer(500, b"rollup_error"), "one message a second", "nothing needs"),
        ("slack", answer(400, b"invalid_blocks"), "refuses the blocks", "genbridge replay"),
        ("slack", answer(400, b"msg_blocks_too_long"), "refuses the blocks", "replay"),
        ("slack", answer(400, b"no_text"), "does not take this message", "replay"),
        ("slack", answer(400, b"user_not_found"), "does not take", "replay"),
        ("slack", answer(403, b"action_prohibited"), "administrator", "ask the adminis"),
        ("slack", answer(403, b"invalid_token"), "is no more", "genbridge resume"),
        ("slack", answer(404, b"no_service"), "is no more", "make a new one"),
        ("slack", answer(410, b"channel_is_archived"), "is no more", "make a new one"),
        ("flat", answer(200), "the receiver has taken it", ""),
        ("flat", answer(429), "asks for a pause", "nothing needs to be done"),
        ("flat", answer(400, b"Queue is full."), "queue at Make is full", "more often"),
        ("flat", answer(413), "no body of this size", "genbridge replay"),
        ("flat", answer(410), "hook was deleted", "make a new one"),
        ("flat", answer(404, b"webhook is not registered"), "test URL", "activate"),
        # Any format: statuses in the verdict's words, divided where the advice begins
        ("standard", answer(204), "the receiver has taken it", ""),
        ("standard", answer(401), "401: the receiver does not know us", "check secret"),
        ("standard", answer(404), "404: nothing answers there", "check url"),
        ("standard", answer(413), "too large", "`raw: false`"),
        ("standard", answer(503), "503: the receiver is not available", "tried again"),
        ("standard", answer(429), "asks for a pause", "nothing needs to be done"),
        ("standard", answer(410), "gone for good", "genbridge resume"),
        ("standard", answer(301, headers=(("location", "https://new.example/x"),)), "has moved",
         "set url to https://new.example/…"),
        ("standard", answer(400, headers=(("webhook-delivery", "abort-message"),)),
         "no more attempts", "genbridge replay"),
        ("standard", answer(400, headers=(("webhook-delivery", "disable"),)), "switched off",
         "genbridge resume"),
        ("standard", answer(500, b"Error occurred while evaluating hook rules."),
         "adnanh/webhook", "raw body"),
        ("standard", answer(500, b"oops"), "500: the receiver failed", "the receiver's log"),
    ],
)  # fmt: skip
def test_an_answer_is_told_in_plain_words(
    format_name: str, given: Response, means: str, advice: str
) -> None:
    found = diagnose(symptom(given, format_name))
    assert means in found.means
    assert advice in found.advice
    assert bool(advice) == bool(found.advice)


def test_zapiers_and_makes_successes_are_not_taken_for_more_than_they_are() -> None:
    zapier = diagnose(symptom(answer(200), "flat", "hooks.zapier.com"))
    assert "even with no live Zap" in zapier.means
    assert "publish the Zap" in zapier.advice
    make = diagnose(symptom(answer(200, b"Accepted"), "flat", "hook.eu1.make.com"))
    assert "queue of the scenario" in make.means


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_that_can_fail_has_a_meaning_and_a_next_step(phase: Phase) -> None:
    found = diagnose(symptom(Unanswered(phase=phase, reason="the reason; an advice")))
    assert found.means
    assert found.advice


@pytest.mark.parametrize(
    ("format_name", "status", "body", "means"),
    [
        # RECEIVERS, section 1.4, row by row, as the formats themselves read the answers
        ("cloudevents", 202, b"", "has taken it"),
        ("cloudevents", 429, b"", "asks for a pause"),
        ("cloudevents", 415, b"", "content type"),
        ("cloudevents", 410, b"", "subscription"),
        ("discord", 200, b'{"id":"1"}', "saved it"),
        ("discord", 429, b'{"retry_after":1}', "five messages in two seconds"),
        ("discord", 400, b'{"code":50035}', "objects to a field"),
        ("discord", 400, b'{"code":50006}', "empty"),
        ("discord", 403, b'{"code":240000}', "a filter objects"),
        ("discord", 401, b"", "deleted"),
        ("discord", 404, b'{"code":10015}', "deleted"),
        ("discord", 400, b'{"code":50027}', "token is another one"),
        ("teams", 202, b"", "not yet a card"),
        ("teams", 429, b"", "slows down"),
        ("teams", 413, b"", "no card of this size"),
        ("teams", 400, b"", "no card of this size or form"),
        ("teams", 404, b"", "flow is no more"),
        ("teams", 410, b"", "flow is no more"),
        ("teams", 401, b"", "`sig` is another one"),
        ("google-chat", 200, b"{}", "stands in the space"),
        ("google-chat", 429, b"", "60 messages a minute"),
        ("google-chat", 400, b"", "no card"),
        ("google-chat", 403, b"", "removed from the space"),
        ("mattermost", 200, b"ok", "stands in the channel"),
        ("mattermost", 200, b"<html>", "not as Mattermost does"),
        ("mattermost", 429, b"", "asks for a pause"),
        ("mattermost", 400, b"", "form or size"),
        ("mattermost", 404, b"", "does not know this webhook"),
        ("telegram", 200, b'{"ok":true}', "stands in the chat"),
        ("telegram", 429, b'{"ok":false,"parameters":{"retry_after":3}}', "20 a minute"),
        ("telegram", 400, b'{"ok":false,"parameters":{"migrate_to_chat_id":-1}}', "supergroup"),
        ("telegram", 403, b'{"ok":false}', "blocked"),
        ("ntfy", 200, b"{}", "whoever follows"),
        ("ntfy", 429, b'{"code":42908}', "used up"),
        ("ntfy", 429, b'{"code":42901}', "12 messages a minute"),
        ("ntfy", 413, b"", "no message of this size"),
        ("ntfy", 400, b'{"code":40057}', "attachment or actions"),
        ("ntfy", 400, b'{"code":40001}', "does not take this message"),
        ("ntfy", 403, b"", "let us write"),
        ("pagerduty", 202, b"", "the service decides"),
        ("pagerduty", 429, b"", "minutes"),
        ("pagerduty", 500, b"", "minutes"),
        ("pagerduty", 413, b"", "no event of this size"),
        ("pagerduty", 400, b"", "routing key"),
    ],
)  # fmt: skip
def test_every_format_has_words_of_its_own(
    format_name: str, status: int, body: bytes, means: str
) -> None:
    assert means in diagnose(symptom(answer(status, body), format_name)).means


def test_a_dead_proxy_is_named_and_the_receiver_is_not_blamed() -> None:
    found = diagnose(symptom(Unanswered(phase=Phase.PROXY, reason="the proxy h:1 is away")))
    assert found.means.startswith("the proxy of this webhook")
    assert found.advice.startswith("check `proxy`")


def test_a_success_that_is_not_telegrams_is_told_as_one_that_is_from_somebody_else() -> (
    None
):
    found = diagnose(symptom(answer(200, b"<html>"), "telegram"))
    assert "not as Telegram does" in found.means
    assert "bot's token" in found.advice


def test_no_format_is_forgotten() -> None:
    told = {name for row in KNOWN for name in row.formats}
    # They are for receivers of anybody's, of which nothing special is known.
    assert told == set(Plugins().names("format")) - {"standard", "template"}


def test_no_known_answer_is_hidden_by_an_earlier_one() -> None:
    for number, row in enumerate(KNOWN):
        sample = Symptom(
            format=next(iter(row.formats), "standard"),
            url=f"https://{row.host or 'h'}/…",
            status=row.status,
            reason=next(iter(row.reasons), "another"),
            sentence="",
            answer=next(iter(row.words), b""),
        )
        text = sample.answer.lower()
        assert next(n for n, one in enumerate(KNOWN) if one.fits(sample, text)) == number


def test_a_message_that_went_out_in_a_poorer_form_says_so() -> None:
    found = diagnose(
        Symptom(
            format="slack",
            url="https://h/…",
            status=200,
            reason="accepted",
            sentence="accepted (200)",
            form="compact",
        )
    )
    assert "it refused the full form" in found.means


def test_what_was_given_up_is_told_by_its_last_answer() -> None:
    said = "given up after 10 attempts; the last: 404: nothing answers there; check url"
    found = diagnose(
        Symptom(format="flat", url="…", status=404, reason="exhausted", sentence=said)
    )
    assert (found.means, found.advice) == ("404: nothing answers there", "check url")


@pytest.mark.parametrize(
    ("attempts", "is_stuck"),
    [
        ([AGAIN] * 3, True),
        ([AGAIN] * 5, True),
        ([AGAIN] * 2, False),
        ([AGAIN, AGAIN, (Result.DELIVERED, "accepted")], False),
        ([AGAIN, AGAIN, (Result.AGAIN, "http-500")], False),
        ([(Result.AGAIN, "http-503")] * 3, False),
        ([(Result.AGAIN, "throttled")] * 3, False),
        ([(Result.DELIVERED, "accepted")] * 3, False),
        ([], False),
    ],
)
def test_three_first_attempts_that_end_alike_are_worth_a_word(
    attempts: list[tuple[Result, str]], is_stuck: bool
) -> None:
    found = stuck(attempts)
    assert (found is not None) == is_stuck
    if found is not None:
        assert "http-401" in found.means

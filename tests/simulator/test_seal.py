from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.delivering.signing import Key, read_key, signature_headers
from bridge.simulator.seal import Seal, examine

NEW = read_key("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
OTHER = read_key("whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")
PAIR = read_key(
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
)
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
BODY = b'{"type": "generation.completed"}'


def signed(*keys: Key, at: datetime = NOW, body: bytes = BODY) -> dict[str, str]:
    return dict(signature_headers(keys, "msg", int(at.timestamp()), body))


@pytest.mark.parametrize("keys", [(NEW,), (OTHER, NEW), (NEW, OTHER), (PAIR,), (PAIR, NEW)])
def test_one_good_signature_is_enough(keys: tuple[Key, ...]) -> None:
    assert examine(signed(*keys), BODY, keys[-1:], NOW) is Seal.VERIFIED
    assert examine(signed(keys[0]), BODY, keys, NOW) is Seal.VERIFIED


def test_a_tampered_body_a_wrong_key_and_another_id_do_not_verify() -> None:
    assert examine(signed(NEW), BODY + b" ", [NEW], NOW) is Seal.WRONG
    assert examine(signed(OTHER), BODY, [NEW], NOW) is Seal.WRONG
    assert examine(signed(NEW) | {"webhook-id": "other"}, BODY, [NEW], NOW) is Seal.WRONG


@pytest.mark.parametrize(("off", "seal"), [(300, Seal.VERIFIED), (301, Seal.OLD)])
def test_a_timestamp_may_be_five_minutes_off(off: int, seal: Seal) -> None:
    for moment in (NOW - timedelta(seconds=off), NOW + timedelta(seconds=off)):
        assert examine(signed(NEW, at=moment), BODY, [NEW], NOW) is seal


def test_what_has_no_signature_or_no_readable_head_is_told_apart() -> None:
    whole = signed(NEW)
    assert examine({}, BODY, [NEW], NOW) is Seal.UNSIGNED
    assert examine({}, BODY, [], NOW) is Seal.UNCHECKED
    for stamp in ("", "1.5", "+1", "\uff11", "1" * 13):
        told = whole | {"webhook-timestamp": stamp}
        assert examine(told, BODY, [NEW], NOW) is Seal.MALFORMED
    assert examine(whole | {"webhook-id": "é"}, BODY, [NEW], NOW) is Seal.MALFORMED


def test_odd_tokens_are_passed_over() -> None:
    told = signed(NEW)
    told["webhook-signature"] = f"é v1 v9,x  {told['webhook-signature']}"
    assert examine(told, BODY, [NEW], NOW) is Seal.VERIFIED

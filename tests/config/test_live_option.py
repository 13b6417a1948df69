"""`live` in the configuration: for formats that can edit, in strict order."""

import pytest

from bridge.config import Environment, load
from bridge.config.mistakes import Wrong
from bridge.core.live import place
from bridge.core.settings import Webhook
from bridge.plugins import Plugins

DISCORD = "    url: https://discord.com/api/webhooks/1/KEY\n    format: discord\n"
TELEGRAM = (
    "    url: https://api.telegram.org/bot1:KEY\n    format: telegram\n    chat_id: 1\n"
)
SLACK = "    url: https://hooks.slack.com/services/T/B/K\n    format: slack\n"
both = pytest.mark.parametrize("text", [DISCORD, TELEGRAM], ids=["discord", "telegram"])


def read(text: str) -> Webhook:
    settings = load(
        f"webhooks:\n  talk:\n{text}".encode(),
        "c.yaml",
        environment=Environment(variables={}, read_file=lambda _: b""),
        catalog=Plugins(),
    )
    return settings.webhooks["talk"]


@both
def test_nothing_is_edited_by_default(text: str) -> None:
    assert place(read(text)) is None
    assert place(read(text + "    live: false\n    order: latest\n")) is None


@both
@pytest.mark.parametrize("order", ["", "    order: strict\n"])
def test_progress_is_one_message_where_it_is_asked_for(text: str, order: str) -> None:
    assert place(read(text + order + "    live: true\n")) is not None


@both
def test_another_order_is_a_mistake_at_its_place(text: str) -> None:
    whole = text + "    order: latest\n    live: true\n"
    line = whole.split("\n").index("    order: latest") + 3
    with pytest.raises(Wrong) as caught:
        read(whole)
    assert f"c.yaml:{line}:12: webhooks.talk.order: `live` needs" in str(caught.value)
    assert "KEY" not in str(caught.value)


def test_a_format_that_edits_nothing_has_no_such_option() -> None:
    with pytest.raises(Wrong, match=r"webhooks\.talk\.live: unknown key"):
        read(SLACK + "    live: true\n")


@both
def test_what_is_neither_true_nor_false_is_a_mistake(text: str) -> None:
    with pytest.raises(Wrong, match=r"webhooks\.talk\.live"):
        read(text + "    live: sometimes\n")

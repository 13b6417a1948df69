"""A template in the configuration: several lines, and its mistakes told with their place."""

import pytest

from bridge.config import Environment, load
from bridge.config.mistakes import Wrong
from bridge.core.settings import Settings
from bridge.plugins import Plugins

HEAD = """
webhooks:
  own:
    url: https://example.com/in
    format: template
    secret: whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
"""


def read(text: str) -> Settings:
    environment = Environment(
        variables={}, read_file=lambda _: b'{"a":\n {{ type | json }}}\n'
    )
    return load(
        (HEAD + text).encode(), "c.yaml", environment=environment, catalog=Plugins()
    )


@pytest.mark.parametrize(
    "text",
    [
        '    template: |\n      {\n      \t"a": {{ summary | json }}\n      }\n',
        "    template: '{{ type | json }}'\n",
        '    template: "${file:body.j2}"\n',
    ],
    ids=["a block", "one line", "a file"],
)
def test_a_template_may_have_several_lines(text: str) -> None:
    webhook = read(text).webhooks["own"]
    assert webhook.format_name == "template"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "template"),
        ("    template: ''\n", "nothing is given"),
        ('    template: "a\\0b"\n', "control characters"),
        ("    template: '{{ nobody }}'\n", "'nobody' is undefined"),
        ("    template: |\n      {\n      {% if %}\n", "line 2"),
        ("    template: '1'\n    content_type: json\n", "content_type"),
    ],
)
def test_a_bad_template_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(Wrong) as caught:
        read(text)
    assert said in str(caught.value)
    assert "c.yaml:" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "    template: |\n      {\n      {{ nobody }}\n",
            ":7:15: webhooks.own.template: for",
        ),
        (
            "    template: '1'\n    content_type: x\n",
            ":8:19: webhooks.own.content_type: exp",
        ),
    ],
)
def test_what_a_format_says_of_an_option_stands_at_that_option(
    text: str, said: str
) -> None:
    with pytest.raises(Wrong) as caught:
        read(text)
    assert f"c.yaml{said}" in str(caught.value)

"""No message, no excerpt and no repr ever holds a secret, wherever it stands and whatever fails."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config import Wrong
from tests.config.given import SECRET, environment, settings, wrong

CANARY = "canaryCANARYcanary"
KEY = "whsec_Y2FuYXJ5Q0FOQVJZY2FuYXJ5Y2FuYXJ5Q0FOQVJZMDA="
WHOLE = f"""\
database: genbridge.db
server:
  listen: 127.0.0.1:8383
  token: {CANARY}
sources:
  s:
    provider: plain
    api_key: {CANARY}
    base_url: https://example.com/{CANARY}
  f: {{provider: plain, api_key: '{CANARY}', query: {{key: {CANARY}}}}}
webhooks:
  h:
    url: https://hooks.slack.com/services/{CANARY}
    secret:
      - {KEY}
      - {SECRET}
    headers: {{Authorization: 'Bearer {CANARY}', X-Key: "{CANARY}"}}
    order: strict
  i: {{url: 'https://example.com/?k={CANARY}', secret: '{KEY}', headers: {{A: {CANARY}}}}}
  j:
    url: https://example.com/
    secret: {KEY}
    auth:
      type: oauth2
      token_url: https://example.com/{CANARY}
      client_id: {CANARY}
      client_secret: {CANARY}
    proxy: https://u:{CANARY}@example.com:1
  k: {{url: 'https://example.com', secret: '{SECRET}', auth: {{type: bearer, token: {CANARY}}}}}
  l:
    url: https://example.com/
    secret: {SECRET}
    auth: {{type: basic, username: '{CANARY}', password: "{CANARY}"}}
watches:
  - {{source: s, id: a, until: completed}}
"""


def holds_a_secret(text: str) -> bool:
    return any(part in text for part in (CANARY[:8], KEY[6:20], SECRET[6:20]))


def test_settings_show_no_secret() -> None:
    loaded = settings(WHOLE)
    assert not holds_a_secret(repr(loaded))
    assert not holds_a_secret(str(loaded.warnings))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line.replace(":", "", 1),
        lambda line: line.replace(": ", ": @", 1),
        lambda line: line.replace(": ", ": &", 1),
        lambda line: line.replace(": ", ": !", 1),
        lambda line: line.replace(": ", ": *", 1),
        lambda line: line.replace(": ", ": [", 1),
        lambda line: line.replace(": ", ": {", 1),
        lambda line: line.replace(": ", ': "', 1),
        lambda line: line.replace(": ", ": '", 1),
        lambda line: line.replace(": ", ": |", 1),
        lambda line: line.replace(": ", ": ${", 1),
        lambda line: line.replace(": ", ": ${NONE}", 1),
        lambda line: line.replace(": ", ": ${NONE:-", 1) + "}",
        lambda line: line.replace(": ", ":", 1),
        lambda line: line.replace(": ", ": : ", 1),
        lambda line: line.replace(": ", ":\t", 1),
        lambda line: "\t" + line,
        lambda line: " " + line,
        lambda line: line + " # " + CANARY,
        lambda line: line + "\n" + line,
        lambda line: line.replace(CANARY, CANARY + "\x07"),
        lambda line: line.replace(CANARY, f"[{CANARY}]"),
        lambda line: line.replace(CANARY, f"{{{CANARY}}}"),
        lambda line: line.replace(CANARY, f"{{{CANARY}: {CANARY}}}"),
        lambda line: line.replace(KEY, KEY[:-3]).replace(SECRET, SECRET[:-3]),
        lambda line: line.replace("https://", "ftp://"),
        lambda line: line.replace("https://", f"https://user:{CANARY}@"),
        lambda line: line.replace("https://", "https://127.0.0.1/"),
        lambda line: line.replace("api_key", "api_kye").replace("secret", "secert"),
        lambda line: line.replace("token", "tokn").replace("headers", "haeders"),
        lambda line: line.replace("api_key", "password").replace("url", "link"),
        lambda line: line.replace("genbridge.db", f"postgresql://u:{CANARY}@h/d"),
        lambda line: line.replace("genbridge.db", f"https://u:{CANARY}@h/d"),
        lambda line: line.replace("plain", "plane"),
    ],
    ids=iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"),
)
def test_a_mistake_shows_no_secret(spoil: Callable[[str], str]) -> None:
    lines = WHOLE.splitlines()
    for number, line in enumerate(lines):
        spoilt = [*lines[:number], spoil(line), *lines[number + 1 :], ""]
        shown = outcome("\n".join(spoilt))
        assert not holds_a_secret(shown), shown


def outcome(text: str) -> str:
    try:
        return repr(settings(text))
    except Wrong as error:
        return f"{error}{error!r}{error.mistakes!r}{error.__cause__!r}"


@given(
    st.integers(0, len(WHOLE)),
    st.integers(0, 3),
    st.text(alphabet="{}[]:,#&*!|>'\"%@` \n-?$\\", max_size=3),
)
def test_no_edit_at_all_makes_a_secret_seen(at: int, cut: int, put: str) -> None:
    # What is edited inside a canary is no canary any more; half of it is still looked for.
    text = WHOLE[:at] + put + WHOLE[at + cut :]
    shown = outcome(text)
    for part in (CANARY[:9], CANARY[9:], KEY[6:20], SECRET[6:20]):
        assert part not in shown


def test_values_from_outside_are_never_repeated() -> None:
    there = environment({"X": CANARY})
    text = WHOLE.replace(CANARY, "k" * 20).replace("order: strict", "order: ${X}")
    text = text.replace("listen: 127.0.0.1:8383", "listen: ${X}")
    text = text.replace("until: completed", "until: '${X}'").replace(
        "source: s", "source: '${X}'"
    )
    error = wrong(text, there)
    assert error.total == 4
    assert not holds_a_secret(f"{error}{error.mistakes!r}")
    assert "order: ${X}" in str(error)


def test_columns_stay_where_they_are() -> None:
    error = wrong(WHOLE.replace("order: strict", "order: stric"))
    line, caret = error.mistakes[0].excerpt
    assert line[caret.index("^") :] == "stric"
    flow = wrong(WHOLE.replace("s, id: a", "s, idd: a"))
    line, caret = flow.mistakes[0].excerpt
    assert line[caret.index("^") :].startswith("idd: ")


def test_host_and_reference_are_shown_beside_what_is_hidden() -> None:
    text = "sources:\n  s: {api_key: '${KEY}', base_url: 'https://a.example/x', lok: 1}\n"
    shown = str(wrong(text))
    assert "'${KEY}'" in shown
    assert "'https://a.example**'" in shown

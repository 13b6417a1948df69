import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[2]
# A line that ends in a backslash goes on in the next one.
TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
LAST_STAGE = TEXT[TEXT.rindex("\nFROM ") :]


def instructions(name: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


def copied() -> list[str]:
    """What the build takes from the checkout."""
    lines = [line.split() for line in instructions("COPY") if "--from=" not in line]
    return [source.rstrip("/") for line in lines for source in line[:-1]]


def test_the_image_does_not_run_as_root() -> None:
    assert instructions("USER", LAST_STAGE) == ["10001:10001"]
    assert LAST_STAGE.index("\nUSER ") < LAST_STAGE.index("\nENTRYPOINT ")


def test_the_image_says_whether_it_is_healthy() -> None:
    (check,) = instructions("HEALTHCHECK", LAST_STAGE)
    assert "/healthz" in check


def test_the_build_takes_only_what_is_there() -> None:
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source


def test_what_the_build_takes_is_not_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    for source in copied():
        assert any(fnmatch(source, pattern) for pattern in kept), source


def test_the_image_holds_only_what_the_lock_names() -> None:
    installs = re.findall(r"pip install[^&\n]*", TEXT)
    assert len(installs) == 2
    assert "--require-hashes" in installs[0]
    assert "--no-index" in installs[1]
    assert "--no-deps" in installs[1]


def test_the_build_fetches_no_front_end() -> None:
    assert not re.search(r"^#\s*syntax\s*=", TEXT, re.MULTILINE | re.IGNORECASE)

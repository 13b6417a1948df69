"""What the pages name is there: pages, headings, files, and what the code cites."""

import re
from pathlib import Path

import pytest

from bridge.plugins import Plugins
from tests.docs.pages import (
    DESIGN,
    DOCS,
    GUIDES,
    PAGES,
    ROOT,
    anchor,
    blocks,
    inline,
    without_code,
)

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"(bridge|docs|tests|systemd|bench)/[\w./-]*[\w/]|config\.example\.yaml")
_CITED = re.compile(
    r"\b(DESIGN|STYLE|PROVIDERS|DETECTION|DELIVERY|RECEIVERS|STORE|OPERATIONS)(?:\.md)?"
    r"(?:, (?:section|rule)s? ([0-9.]*[0-9]))?"
)
PROVIDERS = DOCS / "providers"
_LATER = {"bridge/providers/paper_boats.py", "bridge/formats/one_line.py"}
"""What the README shows how to write."""


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_named)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in _LINK.findall(without_code(page)):
        if link.startswith("https://"):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        assert not fragment or fragment in map(anchor, headings), link


@pytest.mark.parametrize("page", GUIDES, ids=_named)
def test_every_file_that_is_named_exists(page: Path) -> None:
    for text in inline(page):
        if _PATH.fullmatch(text) and text not in _LATER:
            assert (ROOT / text).exists(), text


def test_every_room_is_on_the_plan_and_nothing_else() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    (plan,) = re.findall(r"^bridge/\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    drawn = set(re.findall(r"^  +(\w+(?:\.py|/))|(?<=py   )(\w+/)", plan, re.MULTILINE))
    rooms = {one or other for one, other in drawn}
    there = {
        path.name + "/" * path.is_dir()
        for path in (ROOT / "bridge").iterdir()
        if path.name not in ("__init__.py", "__pycache__")
    }
    assert rooms == there


def _citations() -> list[tuple[Path, str, str]]:
    return [
        (path, page, section)
        for path in sorted((ROOT / "bridge").rglob("*.py"))
        for page, section in _CITED.findall(path.read_text())
    ]


def test_what_the_code_cites_stands_in_the_design() -> None:
    cited = _citations()
    assert len(cited) > 20
    for path, page, section in cited:
        text = (DESIGN / f"{page}.md").read_text()
        known = rf"^(#+ )?{re.escape(section)}\.? "
        assert not section or re.search(known, text, re.MULTILINE), (path, page, section)


def test_no_page_is_forgotten_by_its_index() -> None:
    index = (DESIGN / "README.md").read_text()
    for page in DESIGN.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


def test_every_provider_is_told_of_on_one_page_with_its_yaml() -> None:
    # `http` is no API but the way to describe one.
    names = {*Plugins().names("provider")} - {"http"}
    index = (PROVIDERS / "README.md").read_text()
    pages = [page for page in PROVIDERS.glob("*.md") if page.name != "README.md"]
    told = {
        name: page
        for page in pages
        for name in re.findall(r"^## (\S+)$", page.read_text(), re.MULTILINE)
        if name in names
    }
    assert set(told) == names
    for name, page in told.items():
        (row,) = (line for line in index.splitlines() if f"`{name}`" in line)
        assert f"]({page.name})" in row
        (shown,) = (b for b in blocks(page, "yaml") if str(b).endswith(f": # {name}"))
        assert f"provider: {name}\n" in shown.text

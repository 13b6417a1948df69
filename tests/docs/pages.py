"""The pages, and the blocks of code in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
DESIGN = DOCS / "design"

GUIDES = (
    README,
    *sorted(DOCS.glob("*.md")),
    *sorted((DOCS / "providers").glob("*.md")),
    ROOT / "systemd/README.md",
)
"""The pages for users; those in docs/design speak of what is not built yet, too."""

PAGES = (*GUIDES, ROOT / "CHANGELOG.md", *sorted(DESIGN.glob("*.md")))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        first = self.text.partition("\n")[0]
        return f"{self.page.name}: {first}"


def blocks(page: Path, language: str) -> list[Block]:
    found = _BLOCK.findall(page.read_text())
    return [Block(page, word, text) for word, text in found if word == language]


def block(page: Path, language: str, holding: str) -> str:
    """The one block of a language that holds a text."""
    (only,) = (b.text for b in blocks(page, language) if holding in b.text)
    return only


def inline(page: Path) -> list[str]:
    """What stands between backticks in running text and tables."""
    return _INLINE.findall(_BLOCK.sub("", page.read_text()))


def without_code(page: Path) -> str:
    """The text of a page without its code."""
    return _INLINE.sub("", _BLOCK.sub("", page.read_text()))


def table(page: Path, first: str) -> Iterator[dict[str, str]]:
    """The rows of the table whose first heading is this one."""
    heads: list[str] | None = None
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if heads is None:
            heads = cells if line.startswith(f"| {first} |") else None
        elif not line.startswith("|"):
            return
        elif not line.startswith("|---"):
            yield dict(zip(heads, (cell.strip("| ") for cell in cells), strict=True))


def anchor(heading: str) -> str:
    """The fragment that a heading is linked by."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

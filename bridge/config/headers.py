"""Headers that a webhook may add to its requests (DELIVERY, section 8)."""

import re

from bridge.config.scalars import Unfit, visible

MOST_HEADERS = 50
LONGEST_VALUE = 4096

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_OURS = re.compile(
    r"(host|transfer-encoding|connection|te|upgrade|expect|user-agent|(content|webhook)-.*)"
)


def header_name(name: str) -> str:
    """Return the name of a header that may be set; raises Unfit for one that is ours."""
    if not _NAME.fullmatch(name):
        raise Unfit("not a name that a header can have")
    if _OURS.fullmatch(name.lower()):
        raise Unfit(f"{name.lower()} is set by genbridge itself")
    return name


def header_value(value: object) -> str:
    """Return the value of a header: visible ASCII of at most 4,096 characters."""
    text = visible(value, "the value of a header")
    if len(text) > LONGEST_VALUE:
        raise Unfit(f"the value of a header has at most {LONGEST_VALUE} characters")
    return text


def once_each(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers; raises Unfit for a name that comes twice, in whatever case."""
    seen: set[str] = set()
    for name in headers:
        if name.lower() in seen:
            raise Unfit(f"the header {name.lower()} is given twice")
        seen.add(name.lower())
    return headers

"""Text that is taken out of a provider's answer, made harmless."""

WORD_LIMIT = 200
"""Characters of a state word, a failure code or an output's type that are kept."""

TEXT_LIMIT = 2_000
"""Characters of a failure's reason that are kept."""


def clean(text: str, limit: int = WORD_LIMIT) -> str:
    """Return at most `limit` characters, without NUL, lone surrogates as U+FFFD.

    PostgreSQL stores no NUL, and nothing encodes half of a surrogate pair.
    """
    text = text[: 2 * limit]
    if text.isascii():
        return text.replace("\0", "")[:limit]
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "")[:limit]


def one_line(text: str, limit: int = WORD_LIMIT) -> str:
    """Return the text cleaned and on one line, for logs."""
    return " ".join(clean(text, 4 * limit).split())[:limit]

"""What an answer means that says nothing of a generation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bridge.core.looking import (
    Busy,
    Missing,
    Observation,
    Reading,
    Refused,
    Rejected,
    Trouble,
)
from bridge.core.network.exchange import Response
from bridge.core.reading.dialect import Complaints, first_text
from bridge.core.reading.document import Document
from bridge.core.reading.document import document as read
from bridge.core.reading.places import as_text, present
from bridge.core.reading.shape import shape
from bridge.core.reading.wait import asked_wait
from bridge.core.reading.wordform import folded
from bridge.core.text.cleantext import one_line

_GONE = frozenset({404, 410})
_BARRED = frozenset({401, 402, 403})
_PASSING = frozenset({408, 425})


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An answer without a generation. `single`: one was asked about, so it may be missing.

    `document` is None where the body could not be read. None of `secrets` shows up in a
    reason.
    """

    response: Response
    document: object
    single: bool
    complaints: Complaints
    secrets: Sequence[str] = field(default=(), repr=False)

    def by_status(self, status: int) -> Reading:
        """Return what an HTTP status means (rule 1); 2xx does not come here."""
        why = self._said(f"HTTP {status}")
        if status in _GONE:
            return self._missing(why)
        if status == 429:
            return Busy(after=self._wait(), why=why)
        if status in _BARRED:
            return Refused(why=why)
        if 400 <= status <= 499 and status not in _PASSING:
            return self._missing(why) if self._says_missing() else Rejected(why=why)
        return Trouble(why=why, after=self._wait() if 500 <= status <= 599 else None)

    def unfinished(self, seen: Observation) -> Trouble:
        """Return what a failing second call is, whatever its status (rule 12)."""
        status = self.response.status
        said = self.by_document() if 200 <= status <= 299 else self.by_status(status)
        why = "the second call: " + self._said(f"HTTP {status}")
        return Trouble(why=why, after=getattr(said, "after", None), seen=seen)

    @property
    def speaks(self) -> bool:
        """Whether the document has a code or a status that means something."""
        if self._fine():
            return False
        code = self._code()
        listed = code in self.complaints.busy or code in self.complaints.refused
        return listed or self._says_missing() or self._status() is not None

    def by_document(self) -> Reading:
        """Return what a document without a state word means: never a failed generation."""
        code, why = self._code(), self._said("the answer names no state")
        if self._fine():
            return self._malformed(why)
        if self._says_missing():
            return self._missing(why)
        if code in self.complaints.busy:
            return Busy(after=self._wait(), why=why)
        if code in self.complaints.refused:
            return Refused(why=why)
        status = self._status()
        if status is not None:
            return self.by_status(status)
        said = first_text(self.document)
        return self._malformed(why) if said is None else Trouble(why=why)

    def _malformed(self, why: str) -> Trouble:
        told = self.document
        if told is None:
            # Of a list in which the asked one stands nowhere all is of interest.
            whole = read(self.response.body)
            told = whole.value if isinstance(whole, Document) else None
        looks = "" if told is None else shape(told, secrets=self.secrets)
        return Trouble(why=why, malformed=True, shape=looks)

    def _missing(self, why: str) -> Missing | Rejected:
        # Nothing is missing where many were asked about: the path itself is wrong.
        return Missing(why=why) if self.single else Rejected(why=why)

    def _fine(self) -> bool:
        ok = self.complaints.ok
        return ok is not None and present(ok(self.document))

    def _says_missing(self) -> bool:
        return self._code() in self.complaints.missing or present(
            self.complaints.missing_if(self.document)
        )

    def _status(self) -> int | None:
        status = as_text(self.complaints.status(self.document)) or ""
        text = status.strip()
        if len(text) != 3 or not text.isascii() or not text.isdigit() or int(text) < 300:
            return None
        return int(text)

    def _code(self) -> str | None:
        code = as_text(self.complaints.code(self.document))
        return None if code is None else folded(code)

    def _wait(self) -> timedelta | None:
        return asked_wait(
            self.response.headers,
            self.response.received_at,
            body=self.complaints.retry_after(self.document),
            detail=first_text(self.document),
        )

    def _said(self, what: str) -> str:
        said = first_text(self.document)
        if said is None:
            return what
        # A long text is cut well beyond what is shown, so no piece of the secret is left
        # over.
        said = said[:4_000]
        for secret in self.secrets:
            said = said.replace(secret, "…")
        return f"{what}: {one_line(said)}"

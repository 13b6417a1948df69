"""Paging: every list goes on where the last page ended, whatever came or went meanwhile."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class PageQuery(BaseModel):
    """Which page of a list."""

    model_config = ConfigDict(extra="forbid")

    cursor: (
        Annotated[
            str,
            Field(pattern=r"^[0-9]{1,18}$", description="`next` of the page before."),
        ]
        | None
    ) = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100

    @property
    def before(self) -> int | None:
        """The id at which the page before ended."""
        return None if self.cursor is None else int(self.cursor)

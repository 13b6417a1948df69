"""A broken daemon, as a control: it goes on although it cannot show that it lives.

`python -m tests.replicas.bold run -c FILE`. Its rates are its own, too: shared ones come from the
database second by second, so a replica that is cut off would stop for want of them.
"""

from datetime import timedelta

from bridge import daemon
from bridge.engine.membership import Membership
from bridge.store.postgres import PostgresStore
from tests.replicas import quick


class Bold(Membership):
    """Believes that it lives, whatever it hears."""

    def fit(self) -> bool:
        """Say that it may begin anything."""
        return True


async def chunk(self: PostgresStore, key: str, length: timedelta) -> timedelta:
    """Take as much as is wanted, now."""
    return timedelta()


def main() -> None:
    """Run without the fence that a replica has in itself."""
    setattr(daemon, "Membership", Bold)  # noqa: B010  (where the parts are chosen)
    setattr(PostgresStore, "chunk", chunk)  # noqa: B010
    quick.main()


if __name__ == "__main__":
    main()

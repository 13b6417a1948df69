"""A broken daemon, as a control: it settles a delivery before it has sent it.

`python -m tests.replicas.hasty run -c FILE`. Half a second lies between the two.
"""

from datetime import timedelta

from bench.crash.early import Early
from bridge import daemon
from tests.replicas import quick


class Hasty(Early):
    """Takes its time after it has settled."""

    committed = timedelta(seconds=0.5)


def main() -> None:
    """Run the broken build."""
    setattr(daemon, "Sender", Hasty)  # noqa: B010  (where the parts are chosen)
    quick.main()


if __name__ == "__main__":
    main()

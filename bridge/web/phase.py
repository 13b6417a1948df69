"""The phase of the daemon: nothing is promised before its start and after its end."""

from starlette.exceptions import HTTPException

from bridge.web.service import Service


def must_be_open(service: Service) -> None:
    """Raise HTTPException 503 unless something can be ordered now."""
    if service.phase is not None:
        detail = f"genbridge is {service.phase}"
        raise HTTPException(503, detail, headers={"retry-after": "1"})

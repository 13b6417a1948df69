"""The body of a request, read as JSON or refused."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

_DECODER = msgspec.json.Decoder()


async def json_body(request: Request) -> object:
    """Return the JSON value of the body; raises HTTPException 415, 413 or 400."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or "content-encoding" in request.headers:
        raise HTTPException(415, "the body must be `content-type: application/json`, plain")
    return decoded(await request.body())


def decoded(text: bytes) -> object:
    """Return a JSON value; raises HTTPException 400 with the reason."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        reason = "it nests too deeply"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except (msgspec.MsgspecError, ValueError) as error:
        reason = str(error)
    raise HTTPException(400, f"the body is not JSON: {reason}")

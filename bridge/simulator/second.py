"""The second call: what an API says that gives the outputs of a completed generation apart."""

from bridge.simulator.account import Account
from bridge.simulator.api import Api, error_reply
from bridge.simulator.exchange import Call, Reply
from bridge.simulator.switches import Second


def second_reply(
    api: Api,
    id: str,  # noqa: A002  (the domain's word)
    call: Call,
    account: Account,
    *,
    good: Reply,
    model_error: Reply,
) -> Reply:
    """Return `good`, or what the switch says instead; `model_error` is the vendor's own failure.

    `id` is the generation's: each of them has its own count of 503s.
    """
    switches = account.switches
    match switches.second:
        case Second.OK:
            return good
        case Second.NOT_FOUND:
            return error_reply(api, 404, "Not found", call, account)
        case Second.UNAVAILABLE:
            account.asked[id] = account.asked.get(id, 0) + 1
            if account.asked[id] > switches.second_failures:
                return good
            return error_reply(api, 503, "Temporarily unavailable", call, account)
        case Second.MODEL_ERROR:
            return model_error

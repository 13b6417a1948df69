"""Addressees: webhooks as they stand in the store now, found by their names and ids."""

import re
from collections.abc import Iterable, Mapping

from bridge.core.delivering.callback import Callback
from bridge.core.listing import ListedWebhook
from bridge.core.ports import Lists
from bridge.core.settings import Settings, Webhook
from bridge.web.showing import NAMED, name_of

PAGE = 1000
MOST_NAMED = 20
_CALLBACK = re.compile(r"callback ([1-9][0-9]{0,17})")


async def standing(lists: Lists, webhooks: Iterable[int]) -> Mapping[int, ListedWebhook]:
    """Return webhooks by their ids, as they stand now; those that there are.

    Ids lie close together, so a page is asked for that may hold several of them.
    """
    wanted = sorted(set(webhooks))
    found: dict[int, ListedWebhook] = {}
    while wanted:
        first = wanted[0]
        limit = min(PAGE, wanted[-1] - first + 1)
        page = await lists.list_webhooks(after=first - 1, limit=limit)
        found |= {one.state.id: one for one in page if one.state.id in wanted}
        reached = page[-1].state.id if len(page) == limit else wanted[-1]
        wanted = [id_ for id_ in wanted if id_ > reached]
    return found


async def every(lists: Lists) -> Mapping[int, ListedWebhook]:
    """Return every webhook by its id."""
    found: dict[int, ListedWebhook] = {}
    last = 0
    while page := await lists.list_webhooks(after=last, limit=PAGE):
        found |= {one.state.id: one for one in page}
        last = page[-1].state.id
    return found


async def named(lists: Lists, name: str) -> ListedWebhook | None:
    """Return the webhook that people call so (`studio`, `callback 7`); None: there is none.

    One that is no longer configured is found too: its deliveries may still be there.
    """
    callback = await _callback(lists, name)
    if callback is not None:
        return callback
    last = 0
    while page := await lists.list_webhooks(after=last, limit=PAGE):
        for one in page:
            if one.state.key == NAMED + name:
                return one
        last = page[-1].state.id
    return None


async def _callback(lists: Lists, name: str) -> ListedWebhook | None:
    number = _CALLBACK.fullmatch(name)
    if number is None:
        return None
    there = (await standing(lists, [int(number[1])])).get(int(number[1]))
    return None if there is None or there.callback is None else there


def receiver_of(webhook: ListedWebhook, settings: Settings) -> Webhook | Callback | None:
    """Return how a webhook is sent to; None: it is no longer configured."""
    if webhook.callback is not None:
        return webhook.callback
    return settings.webhooks.get(name_of(webhook))


def no_such(settings: Settings) -> str:
    """Return that there is no such webhook, and which there are."""
    names = sorted(settings.webhooks)
    if not names:
        return "there is no such webhook; the configuration has none"
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return f"there is no such webhook; there is {', '.join(names[:MOST_NAMED])}{more}"

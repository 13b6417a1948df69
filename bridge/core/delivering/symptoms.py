"""Symptoms: the answers that receivers are known to give, by format (RECEIVERS, section 1.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is known of an attempt.

    `url` is `scheme://host/…`, `reason` and `sentence` are the verdict's, `form` is the form of
    the message that was sent last.
    """

    format: str
    url: str
    status: int | None
    reason: str
    sentence: str
    form: str = "full"
    answer: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A known answer. What is empty matches everything; of `words` one must be in the answer."""

    formats: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    status: int | None = None
    words: tuple[bytes, ...] = ()
    host: str = ""
    means: str
    advice: str = ""

    def fits(self, symptom: Symptom, text: bytes) -> bool:
        """Return whether an attempt went like this; `text` is its answer in small letters."""
        return (
            (not self.formats or symptom.format in self.formats)
            and (not self.reasons or symptom.reason in self.reasons)
            and self.status in (None, symptom.status)
            and (not self.words or any(word in text for word in self.words))
            and self.host in symptom.url
        )


def _row(
    formats: str = "",
    reasons: str = "",
    words: Sequence[bytes] = (),
    *,
    status: int | None = None,
    host: str = "",
    means: str,
    advice: str = "",
) -> Row:
    return Row(
        formats=frozenset(formats.split()),
        reasons=frozenset(reasons.split()),
        status=status,
        words=tuple(words),
        host=host,
        means=means,
        advice=advice,
    )


_NEW_URL = "make a new one there, put it into `url`, reload, then `genbridge resume`"
_WAITS = "nothing needs to be done: genbridge waits as long as it was asked to"
_FEWER = f"{_WAITS}; fewer `states` or a lower `rate_limit` keep it from happening"
_KEPT = "it is kept: correct the format or its options, then `genbridge replay`"

KNOWN: tuple[Row, ...] = (
    # Whatever the format is
    _row(reasons="skipped", means="this format has nothing to say of this event"),
    _row(
        reasons="disable",
        means="the receiver asked to be switched off (`webhook-delivery: disable`)",
        advice="`genbridge resume` once it wants events again",
    ),
    _row(
        reasons="aborted",
        means="the receiver wants no more attempts of this message (`abort-message`)",
        advice="nothing needs to be done; `genbridge replay` sends it all the same",
    ),
    _row(
        status=500,
        words=[b"error occurred while evaluating hook rules"],
        means="this is adnanh/webhook, and its rule failed: most likely the signature is wrong",
        advice="check that both have the same `secret`, that `hub_signature` is true, and that "
        "nothing before it changes the raw body",
    ),
    _row(
        reasons="forbidden",
        means="the address guard refuses this address: no connection was opened",
        advice="correct `url`, or list the network under `network.allow` if it is yours",
    ),
    _row(
        reasons="unresolved",
        means="the name of the receiver has no address",
        advice="check the host in `url`, and that this machine's resolver knows it",
    ),
    _row(
        reasons="unreachable",
        means="nobody took the connection",
        advice="check that the receiver runs and listens there, and the firewalls between",
    ),
    _row(
        reasons="timeout",
        means="the receiver did not answer in time",
        advice="let it answer first and work afterwards, or raise `timeout`",
    ),
    _row(
        reasons="broken",
        means="the connection ended before a whole answer came",
        advice="look into the log of the receiver, and whether it speaks HTTP at that port",
    ),
    _row(
        reasons="credentials",
        means="no token was to be had, so the receiver was not contacted",
        advice="check `auth`: token_url, client_id, client_secret, scope",
    ),
    _row(
        reasons="consent",
        means="the receiver has not agreed to our events (CloudEvents handshake)",
        advice="it must answer OPTIONS with `WebHook-Allowed-Origin`; or set `handshake: false`",
    ),
    _row(
        reasons="proxy",
        means="the proxy of this webhook let nothing through, so the receiver was not reached",
        advice="check `proxy`: that it runs, its credentials, and that it may go there; "
        "it does not count against the receiver",
    ),
    _row(
        reasons="local",
        means="this machine could not try: it lacks something, or its database is away",
        advice="it does not count against the receiver; `/readyz` and genbridge's log say more",
    ),
    # Slack
    _row("slack", "accepted", means="Slack has taken it: it stands in the channel"),
    _row(
        "slack",
        "unconfirmed",
        means="something answered with a success, but not as Slack does: with `ok`",
        advice="check `url`: it begins with https://hooks.slack.com/services/",
    ),
    _row(
        "slack",
        "throttled",
        means="Slack takes one message a second for each webhook",
        advice=_FEWER,
    ),
    _row(
        "slack",
        "too-rich",
        means="Slack refuses the blocks of this message, and even its text alone",
        advice=_KEPT,
    ),
    _row(
        "slack",
        "gone",
        [b"action_prohibited", b"posting_to_general_channel_denied"],
        means="an administrator of the workspace does not let this webhook post there",
        advice="ask the administrator, then `genbridge resume`; or make a webhook for "
        "another channel",
    ),
    _row(
        "slack",
        "gone",
        means="this Slack webhook is no more: revoked, or its channel or workspace is gone",
        advice=_NEW_URL,
    ),
    _row(
        "slack",
        "declined",
        means="Slack does not take this message, now or later",
        advice=_KEPT,
    ),
    # Zapier, Make, n8n
    _row(
        "flat",
        "accepted",
        host="hooks.zapier.com",
        means="Zapier has taken it, but Zapier answers 200 even with no live Zap behind the URL",
        advice="look for it in the Zap's history; if it is not there, publish the Zap",
    ),
    _row(
        "flat",
        "accepted",
        host=".make.com",
        means="Make has taken it: it waits in the queue of the scenario",
        advice="look for it in the scenario's history; if it is not there, switch it on",
    ),
    _row(
        "flat",
        status=404,
        words=[b"not registered"],
        means="n8n does not know this webhook: the workflow is not active, or this is its test "
        "URL, which lives for one call",
        advice="activate the workflow, and use the URL with /webhook/, not /webhook-test/",
    ),
    _row(
        "flat",
        "throttled",
        status=400,
        means="the queue at Make is full",
        advice="let the scenario run more often; genbridge waits and goes on",
    ),
    _row(
        "flat",
        "throttled",
        host="hooks.zapier.com",
        means="Zapier takes 10,000 requests in five minutes from each user",
        advice=_FEWER,
    ),
    _row(
        "flat",
        "too-rich",
        means="the receiver takes no body of this size, not even without long values",
        advice=_KEPT,
    ),
    _row("flat", "gone", means="the hook was deleted there", advice=_NEW_URL),
    # CloudEvents
    _row(
        "cloudevents",
        "declined",
        means="the receiver takes no CloudEvents of this content type",
        advice="try the other `mode`, structured or binary; then `genbridge replay`",
    ),
    _row(
        "cloudevents",
        "gone",
        means="the receiver has ended this subscription",
        advice=_NEW_URL,
    ),
    # Discord
    _row(
        "discord",
        "accepted",
        status=204,
        means="Discord has taken it, but does not say that it saved it: `wait=true` is missing",
        advice="look for it in the channel; check that nothing in `url` says wait=false",
    ),
    _row("discord", "accepted", means="Discord has saved it: it stands in the channel"),
    _row(
        "discord",
        "unconfirmed",
        means="a success without a message's id: Discord has not said that it saved it",
        advice="check `url`: https://discord.com/api/webhooks/…, with nothing behind the token",
    ),
    _row(
        "discord",
        "throttled",
        means="Discord takes five messages in two seconds, and thirty a minute",
        advice=_FEWER,
    ),
    _row(
        "discord",
        "declined",
        means="Discord does not take this message: it is empty, or a filter objects",
        advice=_KEPT,
    ),
    _row(
        "discord",
        "too-rich",
        means="Discord objects to a field, which its answer names",
        advice=_KEPT,
    ),
    _row(
        "discord",
        "gone",
        means="this Discord webhook was deleted, or its token is another one",
        advice=_NEW_URL,
    ),
    # Teams
    _row(
        "teams",
        "accepted",
        means="the flow was started; that is not yet a card in the channel",
        advice="if no card appears, look into the run history of the flow",
    ),
    _row(
        "teams",
        "throttled",
        means="Teams takes a message a second, and slows down who sends more than four",
        advice=_FEWER,
    ),
    _row(
        "teams",
        "too-rich",
        means="the flow takes no card of this size or form",
        advice=_KEPT,
    ),
    _row(
        "teams",
        "gone",
        means="the flow is no more, is switched off, or its `sig` is another one",
        advice="open the flow and copy its URL into `url`, reload, then `genbridge resume`",
    ),
    # Google Chat
    _row(
        "google-chat", "accepted", means="Google Chat has taken it: it stands in the space"
    ),
    _row(
        "google-chat",
        "throttled",
        means="a space of Google Chat takes 60 messages a minute, of all apps together",
        advice=_FEWER,
    ),
    _row(
        "google-chat",
        "too-rich",
        means="Google Chat takes no card of this form or size",
        advice=_KEPT,
    ),
    _row(
        "google-chat",
        "gone",
        means="this webhook was removed from the space, or its key is another one",
        advice=_NEW_URL,
    ),
    # Mattermost
    _row(
        "mattermost", "accepted", means="Mattermost has taken it: it stands in the channel"
    ),
    _row(
        "mattermost",
        "unconfirmed",
        means="something answered with a success, but not as Mattermost does: with `ok`",
        advice="check `url`: its path begins with /hooks/",
    ),
    _row(
        "mattermost",
        "too-rich",
        means="Mattermost cannot take a message of this form or size",
        advice=_KEPT,
    ),
    _row(
        "mattermost",
        "gone",
        means="Mattermost does not know this webhook: deleted, or webhooks are switched off",
        advice=_NEW_URL,
    ),
    # Telegram
    _row("telegram", "accepted", means="Telegram has taken it: it stands in the chat"),
    _row(
        "telegram",
        "unconfirmed",
        means="something answered with a success, but not as Telegram does: with `ok`",
        advice="check `url`: https://api.telegram.org/bot… with the bot's token, and nothing "
        "behind it",
    ),
    _row(
        "telegram",
        "throttled",
        means="Telegram takes a message a second for each chat, and 20 a minute for a group",
        advice=_FEWER,
    ),
    _row(
        "telegram",
        words=[b"migrate_to_chat_id"],
        means="the group became a supergroup and has a new id, which the answer names",
        advice="put it into `chat_id`, reload, then `genbridge resume`",
    ),
    _row(
        "telegram",
        "declined",
        means="Telegram does not take this message; mostly `chat_id` is wrong",
        advice=f"check `chat_id`, and that somebody has written to the bot; {_KEPT}",
    ),
    _row(
        "telegram",
        "too-rich",
        means="Telegram could not take the picture or film, nor the text alone",
        advice=_KEPT,
    ),
    _row(
        "telegram",
        "gone",
        means="Telegram does not know this bot, or it was blocked or taken out of the chat",
        advice="check the bot's token and add it to the chat again, then `genbridge resume`",
    ),
    # ntfy
    _row("ntfy", "accepted", means="ntfy has taken it, for whoever follows the topic"),
    _row(
        "ntfy",
        "throttled",
        [b"42908"],
        means="the day's messages at this ntfy server are used up",
        advice=f"{_WAITS}; an account there, or a server of your own, gives more",
    ),
    _row(
        "ntfy",
        "throttled",
        means="ntfy takes 12 messages a minute, after a burst of 60",
        advice=_FEWER,
    ),
    _row(
        "ntfy",
        "too-rich",
        means="ntfy takes no message of this size, or not its attachment or actions",
        advice=_KEPT,
    ),
    _row("ntfy", "declined", means="ntfy does not take this message", advice=_KEPT),
    _row(
        "ntfy",
        "gone",
        means="ntfy does not let us write to this topic",
        advice="check `auth` and the topic's access list, then `genbridge resume`",
    ),
    # PagerDuty
    _row(
        "pagerduty",
        "accepted",
        means="PagerDuty has taken it; whether it pages somebody, the service decides",
        advice="if no incident appears, look at the service's recent alerts",
    ),
    _row(
        "pagerduty",
        "throttled",
        means="PagerDuty wants a pause of minutes",
        advice=_FEWER,
    ),
    _row(
        "pagerduty",
        "declined",
        means="PagerDuty does not take this event; mostly the routing key is wrong",
        advice=f"check the key of the Events API v2 integration; {_KEPT}",
    ),
    _row(
        "pagerduty",
        "too-rich",
        means="PagerDuty takes no event of this size",
        advice=_KEPT,
    ),
    # What is left, of any format
    _row(reasons="accepted", means="the receiver has taken it"),
    _row(reasons="throttled", means="the receiver asks for a pause", advice=_FEWER),
    _row(
        reasons="too-rich",
        means="the receiver refuses even the plainest form of this message",
        advice=_KEPT,
    ),
    _row(
        reasons="gone",
        means="the receiver says that it is gone for good",
        advice="correct `url`, reload, then `genbridge resume`",
    ),
)
"""The first row that fits is told."""

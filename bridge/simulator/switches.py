"""The switches: every way in which the simulated APIs can be told to behave otherwise.

The first value of each is the default: what the vendor documents, or what is most likely.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from bridge.simulator.limits import RetryAfter
from bridge.simulator.timeline import DEFAULT_SCRIPT, Script


class Names(Enum):
    """Which query parameter carries the awaited state at aimlapi-luma."""

    STRICT = auto()
    """The single path honours `state`, the batch path `status`; the other one is ignored."""
    LENIENT = auto()
    """Both paths honour both names; `state` goes first."""


class Holding(Enum):
    """What becomes of a hold."""

    HONOURED = auto()
    IGNORED = auto()
    """Answered at once, whatever was asked for."""
    CUT = auto()
    """The connection is closed without an answer at the end of the limit."""
    GATEWAY_TIMEOUT = auto()
    """504 at the end of the limit."""


class OddWait(Enum):
    """What an awaited state that may not be asked for does (`failed`, or no state at all)."""

    REFUSED = auto()
    """400."""
    IMMEDIATE = auto()
    """Answered at once."""
    IGNORED = auto()
    """As if it had not been sent: where both names count, the other one may still hold."""


class Container(Enum):
    """What holds the items of a batch answer."""

    LIST = auto()
    GENERATIONS = auto()
    DATA = auto()
    KEYED = auto()
    """An object whose keys are the ids."""
    NESTED = auto()
    """A list three objects deep."""


class BatchWait(Enum):
    """Whom a batch with an awaited state waits for."""

    NOBODY = auto()
    ALL = auto()
    ANY = auto()


class IdForm(Enum):
    """How a batch may name its ids."""

    ALL_THREE = auto()
    BRACKETS = auto()
    """`generation_ids[]=a&generation_ids[]=b`."""
    REPEATED = auto()
    """`generation_ids=a&generation_ids=b`; a comma is part of an id."""
    COMMAS = auto()
    """`generation_ids=a,b`; of several such parameters only the first counts."""


class LinkAt(Enum):
    """Where aimlapi-luma puts the link to the video."""

    ASSETS_VIDEO = auto()
    VIDEO_URL_OBJECT = auto()
    """`video.url`."""
    VIDEO_URL = auto()
    """`video_url`."""
    DATA_VIDEO_URL = auto()
    """`data.videoUrl`, the whole document being `{status, data: {jobId, state, videoUrl}}`."""


class Unknown(Enum):
    """How an unknown id is answered."""

    NOT_FOUND = auto()
    BAD_REQUEST = auto()
    OK_WITH_ERROR = auto()
    """Status 200 around the document of the 404."""


class Links(Enum):
    """Whether an old generation still gives links that open."""

    RENEWED = auto()
    """Each look at it signs new links."""
    NOT_RENEWED = auto()
    """A link lives from the completion on, whenever it is read."""


class Second(Enum):
    """What becomes of the second call, where the outputs have one of their own."""

    OK = auto()
    NOT_FOUND = auto()
    UNAVAILABLE = auto()
    """503, so many times for each generation."""
    MODEL_ERROR = auto()
    """The vendor's own failure in place of the outputs."""


class Callbacks(Enum):
    """What becomes of the callbacks that a creation asks for."""

    OFF = auto()
    TRUTHFUL = auto()
    """One for each state."""
    FORGED = auto()
    """One, at once, that tells the end which the generation does not come to."""
    LOST = auto()
    """The last one, which tells the end, never arrives."""
    DOUBLED = auto()
    """Each arrives twice."""


class Fault(Enum):
    """What is wrong with an answer."""

    OFF = auto()
    ERROR_500 = auto()
    ERROR_503 = auto()
    HTML = auto()
    """A login page, with status 200."""
    CUT_JSON = auto()
    """The first half of the document, as if it were whole."""
    RESET = auto()
    SILENCE = auto()
    """The connection stays open and nothing ever comes."""
    DRIP = auto()
    """One byte a second, the head included."""
    HUGE = auto()
    """8 MiB of document."""
    SURROGATES = auto()
    """A text with half of a surrogate pair."""
    NUMBERS_IN_STRINGS = auto()
    WRONG_KEY = auto()
    """401, whatever the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """All switches; spans are in simulated seconds, None: as the vendor has it."""

    script: Script = DEFAULT_SCRIPT
    """What a generation that is made over HTTP goes through."""
    names: Names = Names.STRICT
    holding: Holding = Holding.HONOURED
    hold_limit: float | None = None
    odd_wait: OddWait = OddWait.REFUSED
    container: Container = Container.LIST
    batch_wait: BatchWait = BatchWait.NOBODY
    id_form: IdForm = IdForm.ALL_THREE
    most_ids: int = 50
    """A batch of more ids is answered 400."""
    link_at: LinkAt = LinkAt.ASSETS_VIDEO
    unknown: Unknown = Unknown.NOT_FOUND
    hidden: float = 0.0
    """For so long after its creation a generation is unknown."""
    without_output: float = 0.0
    """For so long after its completion a generation has no output; infinite: for ever."""
    stale: float = 0.0
    """The share of answers that come from a replica: the state before, ids in another order."""
    odd_word: str | None = None
    """A word that is no state, shown for the second half of the last state before the end."""
    stuck_word: str | None = None
    """A word that stands for ever where the end would come, such as MODAL."""
    flat: bool = False
    """Whether kling answers as some relays do: `{task_id, status, url}`."""
    links: Links = Links.RENEWED
    link_life: float | None = None
    second: Second = Second.OK
    second_failures: int = 2
    """How many times the second call of a generation is answered 503."""
    poll_after: float = 2.0
    """When openai-videos tells its clients to look again."""
    callbacks: Callbacks = Callbacks.OFF
    key: str | None = field(default=None, repr=False)
    """The only good key; None: that of the simulator, else any."""
    limit: int | None = None
    """Requests a second for one key, more are answered 429; None: without end."""
    retry_after: RetryAfter = RetryAfter.NONE
    fault: Fault = Fault.OFF
    fault_share: float = 1.0
    """The share of answers that have the fault."""

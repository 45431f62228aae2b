"""What can an operator set about the service, and what is each default and bound?"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.oracle import OracleSettings, Step, check_ladder
from plimsoll.domain.settings import CalibrationSettings, ClearingRules
from plimsoll.sim.settings import MarketSettings, PopulationSettings

__all__ = [
    "REPORTERS",
    "BoardSettings",
    "EngineSettings",
    "ExternalSettings",
    "LimitSettings",
    "ListenSettings",
    "LogSettings",
    "PriceSettings",
    "ReplaySettings",
    "ReportSettings",
    "ServiceSettings",
    "SourceSettings",
    "StoreSettings",
]

Count = Annotated[int, Meta(ge=1, le=10_000_000)]
Seconds = Annotated[float, Meta(gt=0.0, le=3600.0)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
BoardName = Annotated[str, Meta(pattern="^[A-Z0-9]{1,20}-[0-9]{1,2}[A-Z]{3}[0-9]{2}$")]
Strike = Annotated[float, Meta(gt=0.0, le=1e12)]
SourceName = Annotated[str, Meta(pattern="^[a-z][a-z0-9]{0,39}$")]
"""So that a variable of the environment can name it."""


REPORTERS = "reporters"
"""What the price that reporters agree on is called among the sources."""


class ListenSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the service answers.

    Attributes
    ----------
    host : address      Loopback unless told otherwise; another address asks for a certificate.
    port : number       0 takes any free one; the address printed says which.
    certificate, private_key : path   PEM files for TLS; empty serves plain HTTP, on loopback only.
    allowed_hosts : names   Values of the Host header that are answered; others may be a rebound name.
    plain_behind_proxy : yes or no   Serve plain HTTP on another address, because a proxy ends TLS.
    """

    host: Name = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8750
    certificate: str = ""
    private_key: str = ""
    allowed_hosts: tuple[Name, ...] = ("localhost", "127.0.0.1", "[::1]")
    plain_behind_proxy: bool = False


class StoreSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where what happened is kept.

    Attributes
    ----------
    folder : path            Journal, snapshots, receipts and tokens.
    postgres : address       Of a PostgreSQL that holds journal and snapshots instead; empty keeps them in the
                             folder. It may hold a password: set it through the environment.
    snapshot_events : count  Events after which a snapshot is taken.
    kept_events : count or None   Records kept before the newest snapshot; older ones are dropped after each
                             snapshot, and the key of a dropped write is new again. None keeps all.
    kept_bar_days : days or None   Bars kept, which calibration learns from again at every start. None keeps
                             all.
    kept_audit : count or None     Lines of the audit kept, the newest. None keeps all.
    """

    folder: Name = "data/serve"
    postgres: str = ""
    snapshot_events: Count = 20_000
    kept_events: Count | None = None
    kept_bar_days: Annotated[int, Meta(ge=90, le=36_500)] | None = None
    kept_audit: Count | None = None


class EngineSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the thread that owns the state works through its queue.

    Attributes
    ----------
    queue : count     Instructions that may wait; a write that finds the queue full is refused.
    batch : count     Instructions that share one commit of the journal.
    insight_seconds : seconds   Rest between two rounds of stress tests and branching ratios; at least nine
                                times what the last round took.
    kept_effects : count        Liquidations, calls and allocations kept for the API.
    kept_moments : count        Points of each chart.
    """

    queue: Count = 10_000
    batch: Count = 512
    insight_seconds: Seconds = 2.0
    kept_effects: Count = 10_000
    kept_moments: Count = 20_000


class LimitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one client may ask of the service.

    Attributes
    ----------
    requests_per_second : rate   Of one token, on average.
    burst : count                Requests that it may make at once.
    body_bytes : bytes           Largest request body.
    page : count                 Most entries of one page.
    stream_clients : count       WebSocket clients at once.
    stream_buffer : count        Messages that wait for one WebSocket client; older ones are dropped.
    stream_seconds : seconds     A client that takes no message for so long is disconnected.
    stream_interval : seconds    Time between two messages to a client.
    """

    requests_per_second: Annotated[float, Meta(gt=0.0, le=1e6)] = 200.0
    burst: Count = 400
    body_bytes: Annotated[int, Meta(ge=1024, le=1 << 30)] = 1 << 20
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1_000
    stream_clients: Count = 64
    stream_buffer: Count = 32
    stream_seconds: Seconds = 10.0
    stream_interval: Annotated[float, Meta(ge=0.02, le=60.0)] = 0.25


class ReplaySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market that is replayed: a crash of the library, with a drawn population of accounts.

    Attributes
    ----------
    scenario : name     One that `plimsoll scenarios` lists.
    begin_hours : hours Into the scenario, at which the venue opens; what lies before it is history. None
                        opens two hours before the worst one.
    pace : factor       Seconds of the scenario in a second.
    step_minutes : minutes   Length of a bar.
    seed : number
    options : yes or no List options of BTC and ETH too, of the next days, a week and a month, at volatilities
                        that follow the forecast; some accounts hold them.
    """

    scenario: Name = "black-thursday-2020"
    begin_hours: Annotated[float, Meta(ge=0.0, le=24.0 * 30)] | None = None
    pace: Annotated[float, Meta(gt=0.0, le=1e6)] = 240.0
    step_minutes: Annotated[int, Meta(ge=1, le=60)] = 1
    seed: Annotated[int, Meta(ge=0)] = 1
    options: bool = False
    population: PopulationSettings = msgspec.field(default_factory=PopulationSettings)
    market: MarketSettings = msgspec.field(default_factory=MarketSettings)


class BoardSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contracts of one market that expire together, at 08:00 UTC of the day in their name.

    Attributes
    ----------
    strikes : tuple       Quote currency per base unit; each lists a call and a put.
    future : yes or no    List the future of that day as well.
    """

    strikes: Annotated[tuple[Strike, ...], Meta(min_length=1, max_length=500)]
    future: bool = False


class ExternalSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market whose ticks, accounts and fills a matching engine sends through the API.

    Attributes
    ----------
    markets : names        Each is listed as a perpetual; ``BTC`` and ``ETH`` also as collateral.
    history : path         Bars to calibrate on before the first tick; empty takes the packaged daily history.
    bar_seconds : seconds  Length of the bars that ticks are gathered into; calibration learns from each.
    longest_lead : seconds A tick from further in the future by the service's clock is refused: no later one
                           could be taken before that time has come.
    fund : quote           What the insurance fund begins with.
    makers : quote         What the makers, who take what does not net, begin with.
    curves_from : path     A parameter set that `plimsoll calibrate --books` wrote: its curves of listed
                           markets are published, with their evidence. Empty takes none.
    curves : table         Cost curve of each market, instead of the one in that set; a market without any has
                           the flow of its ticks alone.
    boards : table         Options that the venue opens with, by market and day (``BTC-27MAR26``). With any,
                           every account is margined as a portfolio.
    """

    markets: Annotated[tuple[Name, ...], Meta(min_length=1)] = ("BTC", "ETH")
    history: str = ""
    bar_seconds: Annotated[int, Meta(ge=1, le=3600)] = 60
    longest_lead: Annotated[float, Meta(ge=0.0, le=1e9)] = 60.0
    fund: Annotated[float, Meta(ge=0.0, le=1e12)] = 1_000_000.0
    makers: Annotated[float, Meta(ge=0.0, le=1e12)] = 100_000_000.0
    curves_from: str = ""
    curves: dict[Name, CostCurve] = {}
    boards: dict[BoardName, BoardSettings] = {}


class SourceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source of prices that the service listens to.

    Attributes
    ----------
    kind : name             ``exchange`` (through ccxt), ``pyth`` (a Hermes server), ``chainlink`` (through a
                            node), or ``lines`` (JSON lines from a socket).
    address : text          The exchange's name, the server's or node's URL, or ``HOST:PORT``. It may hold a
                            key: set it through the environment; it is never shown.
    markets : table         Each of the venue's markets that it knows, and what it calls it: a symbol, a feed
                            identifier, a contract, or the name in its lines.
    weight : count          In the mark, which is the weighted median of the sources.
    longest_age : seconds   Prices that are older when they come, or came longer ago, are not used.
    silent_seconds : seconds   Without any message for so long, the connection is made again.
    decimals : count        Of a Chainlink proxy's answers.
    every_seconds : seconds Between two questions to a node.
    """

    kind: Literal["exchange", "pyth", "chainlink", "lines"]
    address: Name
    markets: Annotated[dict[Name, Name], Meta(min_length=1, max_length=1000)]
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    longest_age: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 10.0
    silent_seconds: Seconds = 30.0
    decimals: Annotated[int, Meta(ge=0, le=36)] = 8
    every_seconds: Seconds = 10.0


class ReportSettings(OracleSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reporters who push signed prices of an external market through the API.

    Attributes
    ----------
    chain : number          Chain identifier in the signed domain.
    venue : name            Name in the signed domain.
    weight_in_mark : count  Of the price that they agree on, beside the weights of the sources.
    """

    chain: Annotated[int, Meta(ge=0, le=2**53)] = 1
    venue: Name = "plimsoll"
    weight_in_mark: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class PriceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How what sources and reporters say becomes ticks, and what follows when they are silent or disagree.

    Attributes
    ----------
    tick_seconds : seconds    Between two ticks.
    assumed_volume : quote    Per hour and market, until an hour of trades was heard.
    assumed_impact : share    Relative move from trading an hour's volume at once, where no book is heard.
    waiting_trades : count    Trades that may wait; beyond, the oldest is dropped.
    age_steps : ladder        Seconds since a market had a fresh price, and the factor on its initial margin.
    spread_steps : ladder     How far its sources are apart as a share of the mark, and the factor likewise.
    spread_seconds : seconds  The widest spread within so long counts.
    """

    tick_seconds: Annotated[float, Meta(ge=0.05, le=60.0)] = 1.0
    assumed_volume: Annotated[float, Meta(ge=0.0, le=1e15)] = 10_000_000.0
    assumed_impact: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.02
    waiting_trades: Count = 10_000
    age_steps: tuple[Step, ...] = (Step(60.0, 1.1), Step(300.0, 1.25), Step(900.0, 1.5), Step(3600.0, 2.0))

    spread_steps: tuple[Step, ...] = (Step(0.005, 1.1), Step(0.02, 1.25), Step(0.05, 1.5), Step(0.1, 2.0))
    spread_seconds: Seconds = 60.0

    def __post_init__(self) -> None:
        check_ladder("prices.age_steps", self.age_steps)
        check_ladder("prices.spread_steps", self.spread_steps)


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the service says about itself, on stderr.

    Attributes
    ----------
    level : name    ``debug``, ``info``, ``warning`` or ``error``.
    form : name     ``text`` for people, ``json`` for machines: one object a line.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    form: Literal["text", "json"] = "text"


class ServiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the service depends on.

    Attributes
    ----------
    feed : name   ``replay`` or ``external``: where the market comes from.
    sources : table   Sources of an external market's prices by name.
    reports : table or None   Reporters of these prices. With neither, ticks come through the API.
    """

    feed: Literal["replay", "external"] = "replay"
    listen: ListenSettings = msgspec.field(default_factory=ListenSettings)
    store: StoreSettings = msgspec.field(default_factory=StoreSettings)
    engine: EngineSettings = msgspec.field(default_factory=EngineSettings)
    limits: LimitSettings = msgspec.field(default_factory=LimitSettings)
    replay: ReplaySettings = msgspec.field(default_factory=ReplaySettings)
    external: ExternalSettings = msgspec.field(default_factory=ExternalSettings)
    sources: dict[SourceName, SourceSettings] = {}
    reports: ReportSettings | None = None
    prices: PriceSettings = msgspec.field(default_factory=PriceSettings)
    log: LogSettings = msgspec.field(default_factory=LogSettings)
    clearing: ClearingRules = msgspec.field(default_factory=ClearingRules)
    calibration: CalibrationSettings = msgspec.field(default_factory=CalibrationSettings)

    @property
    def hears(self) -> bool:
        """Whether the service hears prices itself, from sources or reporters."""
        return bool(self.sources) or self.reports is not None

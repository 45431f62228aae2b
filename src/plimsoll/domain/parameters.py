"""What does calibration hand to margin, and how is it known to be the same thing later?"""

import hashlib
from enum import IntEnum
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct, structs

from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.errors import Code, PlimsollError

__all__ = [
    "CrossMargin",
    "JointScenarios",
    "Level",
    "MarginMethod",
    "MarketParameters",
    "ParameterSet",
    "PerPosition",
    "Provenance",
    "SideEvidence",
    "SideParameters",
    "StaticTiers",
    "Tier",
]

Rate = Annotated[float, Meta(ge=0.0, le=10.0)]


class Level(IntEnum):
    """Which of the three requirements is meant.

    Below `MAINTENANCE` an account is liquidated; below `CALL` it is asked for more; at `INITIAL` it may take
    new risk or withdraw.
    """

    MAINTENANCE = 0
    CALL = 1
    INITIAL = 2

    @classmethod
    def of(cls, level: "Level | int | str") -> "Level":
        """Take a level, its number or its name, in small letters or capitals; raises `BAD_SETTING`."""
        try:
            return cls[level.upper()] if isinstance(level, str) else cls(level)
        except (KeyError, ValueError) as error:
            raise PlimsollError(
                Code.BAD_SETTING,
                f"there is no level {level!r}",
                where="level",
                remedy=f"Give one of {', '.join(entry.name.lower() for entry in cls)}.",
            ) from error


class SideParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one side of one market is charged, as shares of notional.

    Attributes
    ----------
    maintenance, call, initial : rate   Requirement at each `Level`; maintenance <= call <= initial.
    credit : rate           Size of the move in this side's adverse direction that an opposite position, used
                            as a hedge, is credited with.
    initial_credit : rate   The least that `credit` can have become when a notice given now expires.
    """

    maintenance: Rate
    call: Rate
    initial: Rate
    credit: Rate
    initial_credit: Rate


class MarketParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters of both sides of one market; `price` is the last that calibration saw."""

    market: str
    price: Annotated[float, Meta(gt=0.0)]
    long: SideParameters
    short: SideParameters


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Marginal rates on the part of a position's notional up to `up_to` units of quote currency."""

    up_to: Annotated[float, Meta(gt=0.0)]
    maintenance: Rate
    initial: Rate


class JointScenarios(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Standardised moves of several markets that happened at the same moments.

    What has its default is left out of files and digests.

    Attributes
    ----------
    markets : tuple [M]
    moments : tuple [S]   Start of each row's horizon, milliseconds UTC: its name.
    rows : tuple [S][M]   Log return over the horizon in standard deviations forecast at its start.
    tail : int            Worst rows that the expected shortfall averages over.
    volatility : tuple [S][M]   Log change of 30-day implied volatility over the horizon, at its scale of when
                          the table was drawn and at the level; empty where calibration knew none.
    implied : tuple [M]   Market whose index of implied volatility stands behind each.
    observed : tuple [M]  Rows whose change was observed; the rest are drawn from the relation to spot.
    """

    markets: tuple[str, ...]
    moments: tuple[int, ...]
    rows: tuple[tuple[float, ...], ...]
    tail: Annotated[int, Meta(ge=1)]
    volatility: tuple[tuple[float, ...], ...] = ()
    implied: tuple[str, ...] = ()
    observed: tuple[int, ...] = ()


class StaticTiers(Struct, frozen=True, kw_only=True, tag="static", forbid_unknown_fields=True):
    """First generation: constants by size, the same at all times, each position by itself."""

    tiers: tuple[Tier, ...]
    call_buffer: Annotated[float, Meta(ge=1.0)] = 1.25


class PerPosition(Struct, frozen=True, kw_only=True, tag="per-position", forbid_unknown_fields=True):
    """Second generation: calibrated rates, each position by itself."""

    markets: tuple[MarketParameters, ...]


class CrossMargin(Struct, frozen=True, kw_only=True, tag="cross-margin", forbid_unknown_fields=True):
    """Third generation: calibrated rates, hedges netted over joint scenarios.

    Attributes
    ----------
    markets : tuple of MarketParameters
    dependence : tuple of JointScenarios
        The table in force, then any announced one: calls and initial margin answer to all of them.
    gross_floor : share   The requirement never falls below this share of the sum of its parts.
    """

    markets: tuple[MarketParameters, ...]
    dependence: tuple[JointScenarios, ...]
    gross_floor: Annotated[float, Meta(ge=0.0, le=1.0)]


MarginMethod: TypeAlias = StaticTiers | PerPosition | CrossMargin


class SideEvidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one side's maintenance rate came from, stage by stage.

    Attributes
    ----------
    market, side : str          Side is ``long`` or ``short``.
    windows : int               Standardised excursions behind the quantile.
    last : int                  End of the last bar used, milliseconds UTC.
    volatility : float          Volatility forecast, log return per square root of an hour.
    forecaster : str            What the volatility was forecast with: ``har-plus`` or ``ewma``; ``none``
                                where the parameters were not calibrated by this version.
    scale : float               The same after the stress blend and the speed limits: what excursions are
                                judged on.
    residual_quantile : float   Past excursions at the level, in units of the scale over the horizon.
    model : rate                What today's volatility alone would ask.
    stressed : rate             What long-remembered volatility would ask.
    long_run : rate             The constant that would have covered all history at the level.
    floor : rate                The share of `long_run` that the rate never falls below.
    target : rate               After blend and floor, before the speed limits: where maintenance is heading.
    maintenance : rate          After the speed limits: what is charged.
    binding : str               ``model``, ``floor``, ``rise-limit`` or ``fall-limit``: what held the rate.
    borrowed_from : str or None   The market whose history stands in for a young market's own.
    """

    market: str
    side: str
    windows: int
    last: int
    volatility: float
    scale: float
    residual_quantile: float
    model: float
    stressed: float
    long_run: float
    floor: float
    target: float
    maintenance: float
    binding: str
    borrowed_from: str | None
    forecaster: str = "none"


class Provenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which program, under which settings, from which data.

    Attributes
    ----------
    program : str     Name and version of what produced the set.
    settings : str    Digest of the settings.
    inputs : tuple    Digest of each input, with its name in front.
    """

    program: str
    settings: str
    inputs: tuple[str, ...]


class ParameterSet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that margin needs to know, and nothing that it could change.

    Attributes
    ----------
    version : int       Rises by one with every published set.
    effective : int     From when it holds, milliseconds UTC.
    method : MarginMethod
    evidence : tuple of SideEvidence   Empty for constants, which rest on none.
    provenance : Provenance
    liquidity : tuple of MarketLiquidity   What closing costs, for every figure that depends on size; a market
                        that is not named has what each tick says of its flow.
    digest : str        SHA-256 of all of the above; `sealed` computes it, `verified` checks it.
    """

    version: int
    effective: int
    method: MarginMethod
    evidence: tuple[SideEvidence, ...]
    provenance: Provenance
    liquidity: tuple[MarketLiquidity, ...] = ()
    digest: str = ""

    def sealed(self) -> "ParameterSet":
        """Give the set its digest."""
        return structs.replace(self, digest=self._computed_digest())

    def verified(self, where: str) -> "ParameterSet":
        """Return the set itself where its digest is right; raises `BAD_SETTING` where it was altered."""
        if self.digest != self._computed_digest():
            raise PlimsollError(
                Code.BAD_SETTING,
                "the parameters do not match their digest",
                where=where,
                remedy="Calibrate again, or restore the file: it was changed after it was sealed.",
            )
        return self

    def _computed_digest(self) -> str:
        fields = structs.asdict(structs.replace(self, digest=""))
        if not self.liquidity:  # a set without any keeps the name it had before there was such a field
            del fields["liquidity"]
        return hashlib.sha256(msgspec.msgpack.encode(fields)).hexdigest()

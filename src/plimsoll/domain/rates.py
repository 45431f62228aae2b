"""What did a policy ask of each side of one market, hour by hour, knowing only what was known?"""

from dataclasses import dataclass

from plimsoll.types import Matrix, Times, Vector

__all__ = ["RateSeries"]


@dataclass(frozen=True, slots=True)
class RateSeries:
    """The rates of one policy on one market over time; row t uses bars closed at or before `times[t]` only.

    Attributes
    ----------
    times : Times [T]        Moment of decision, milliseconds UTC: the close of the last bar used.
    rates : Matrix [T, 2]    Asked of a long and of a short, share of the notional: the value at risk of the
                             adverse excursion at the policy's level. Never NaN; a warm-up has no rows.
    shortfall : Matrix [T, 2]   Expected excursion where it exceeds the rate, share of the notional; at least
                             the rate.
    variance : Vector [T]    Forecast of the squared log return of the bar that begins at `times[t]`.
    """

    times: Times
    rates: Matrix
    shortfall: Matrix
    variance: Vector

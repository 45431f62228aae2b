"""Which loss does a portfolio exceed rarely, where spots and volatilities are jointly normal?"""

import numpy as np

from plimsoll.domain.market import Market
from plimsoll.domain.portfolios import Portfolio
from plimsoll.domain.scenario_sets import FactorCovariance
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.quadratic_form import NEGATIVE_SLACK, principal_terms, quadratic_quantile
from plimsoll.margin.greeks import held_quantity
from plimsoll.pricing import Chain
from plimsoll.pricing.greeks import unit_greeks
from plimsoll.pricing.moves import tenor_multiple
from plimsoll.types import Matrix, Vector

__all__ = ["quadratic_risk", "quadratic_terms"]


def quadratic_risk(portfolio: Portfolio, market: Market, factors: FactorCovariance, share: float) -> float:
    r"""Give the value at risk of the delta-gamma-vega profit, by the exact distribution.

    .. math:: P = \sum_u D_u x_u + \tfrac12 G_u x_u^2 + N_u v_u, \qquad (x, v) \sim N(0, \Sigma)

    with :math:`N_u = \sum_i q_i \nu_i \sigma_i m(T_i)`, the profit per unit of relative 30-day volatility.

    Parameters
    ----------
    share : float   Odds of a larger loss, in (0, 1), such as 0.01.

    Returns
    -------
    float   Money; 0 where a loss is less likely than that.

    Raises
    ------
    PlimsollError   `MISSING_PARAMETERS` without an underlying's factor, `BAD_SETTING` where the covariance is
        none.
    """
    if not 0.0 < share < 1.0:
        raise PlimsollError(
            Code.BAD_SETTING, f"the share is {share}", where="share", remedy="Give one between 0 and 1."
        )
    chain, quantity = held_quantity(portfolio, market)
    linear, square = quadratic_terms(chain, quantity, factors)
    terms = principal_terms(linear, square, _covariance(factors))
    return max(0.0, -quadratic_quantile(share, *terms))


def quadratic_terms(chain: Chain, quantity: Vector, factors: FactorCovariance) -> tuple[Vector, Matrix]:
    """Give the profit's slope, Vector [2U], and second derivative, Matrix [2U, 2U], in the factors."""
    unit, count = unit_greeks(chain), len(factors.underlyings)
    forward = chain.forward[chain.slot]
    tenors = np.array([tenor_multiple(days, factors.tenors) for days in chain.days])[chain.slot]
    linear, square = np.zeros(2 * count), np.zeros((2 * count, 2 * count))
    for i, instrument in enumerate(chain.instruments):
        u = _factor(instrument.underlying, factors)
        linear[u] += quantity[i] * forward[i] * unit.delta[i]
        linear[count + u] += quantity[i] * unit.vega[i] * chain.volatility[i] * tenors[i]
        square[u, u] += quantity[i] * forward[i] ** 2 * unit.gamma[i]
    return linear, square


def _factor(underlying: str, factors: FactorCovariance) -> int:
    if underlying not in factors.underlyings:
        raise PlimsollError(
            Code.MISSING_PARAMETERS,
            f"the covariance has no underlying {underlying}",
            where="factors.underlyings",
            remedy=f"Estimate it as well; it knows {', '.join(factors.underlyings)}.",
        )
    return factors.underlyings.index(underlying)


def _covariance(factors: FactorCovariance) -> Matrix:
    size = 2 * len(factors.underlyings)
    if any(len(row) != size for row in factors.covariance) or len(factors.covariance) != size:
        raise _no_covariance(f"it is not {size} by {size}")
    covariance = np.array(factors.covariance, dtype=np.float64).reshape(size, size)
    if not (np.isfinite(covariance).all() and np.allclose(covariance, covariance.T)):
        raise _no_covariance("it is not finite and symmetric")
    variances = np.linalg.eigvalsh(covariance)
    if variances.min(initial=0.0) < -NEGATIVE_SLACK * max(variances.max(initial=0.0), 0.0):
        raise _no_covariance(f"it has an eigenvalue of {variances.min():g}")
    return covariance


def _no_covariance(what: str) -> PlimsollError:
    return PlimsollError(
        Code.BAD_SETTING,
        f"the covariance is none: {what}",
        where="factors.covariance",
        remedy="Give spot and volatility of every underlying, symmetric, no variance below 0.",
    )

"""Which GARCH fits these returns, and what does it forecast?"""

from typing import Annotated, Literal, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.observed import Observed
from plimsoll.kernels.garch import garch_filter, garch_path
from plimsoll.types import Matrix, Times, Vector

__all__ = ["Garch", "GarchMemory", "RefittedGarch", "RefittedMemory", "fit_garch"]

_PERCENT = 100.0
"""The optimiser is at ease with returns of the size of one."""

_FEWEST = 250
_MOST_PERSISTENT = 0.9999
"""Of an integrated fit the mean is not defined; it is then this close to one."""


class GarchMemory(NamedTuple):
    """Forecast of the next bar, squared log return; NaN before the first return. Vector [1]."""

    variance: Vector


class Garch(Struct, tag=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GARCH(1,1), or GJR where `gamma` is above zero, with parameters fitted before; see `fit_garch`.

    Attributes
    ----------
    omega : float    Squared log return per bar.
    alpha, gamma, beta : float   Weights of the last shock, of a falling one on top, and of the last variance.
    mean : float     Log return per bar.
    freedom : float or None   Degrees of freedom of Student's t; None is the normal.
    """

    omega: Annotated[float, Meta(gt=0.0)]
    alpha: Annotated[float, Meta(ge=0.0, le=1.0)]
    gamma: Annotated[float, Meta(ge=-1.0, le=2.0)] = 0.0
    beta: Annotated[float, Meta(ge=0.0, lt=1.0)]
    mean: float = 0.0
    freedom: Annotated[float, Meta(gt=2.0)] | None = None

    @property
    def persistence(self) -> float:
        """Share of a deviation from the mean that is left after a bar."""
        return min(self.alpha + self.beta + 0.5 * self.gamma, _MOST_PERSISTENT)

    @property
    def long_run(self) -> float:
        """Unconditional variance of a bar."""
        return self.omega / (1.0 - self.persistence)

    def begin(self, hours: float) -> GarchMemory:  # noqa: ARG002
        """Start at the long-run variance, which counts as known from the first return on."""
        return GarchMemory(np.array([np.nan]))

    def update(self, memory: GarchMemory, observed: Observed, steps: int) -> tuple[GarchMemory, Matrix]:
        """Absorb T bars; see `estimators.forecasts.VarianceForecaster`."""
        start = memory.variance[0]
        seen = np.cumsum(~np.isnan(observed.returns)) > 0
        known = seen | ~np.isnan(start)
        path, last = garch_filter(
            observed.returns,
            self.omega,
            self.alpha,
            self.gamma,
            self.beta,
            self.mean,
            self.long_run if np.isnan(start) else float(start),
        )
        path = np.where(known, path, np.nan)
        reverted = garch_path(0.0, 1.0, self.persistence, steps).sum()
        ahead = path * (steps - reverted) + self.long_run * reverted
        after = GarchMemory(np.array([last if len(known) and known[-1] else np.nan]))
        return after, np.column_stack([path, ahead])

    def estimate(self, memory: GarchMemory, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars."""
        return garch_path(float(memory.variance[0]), self.long_run, self.persistence, steps)


def fit_garch(
    returns: Vector, *, asymmetric: bool = False, shocks: Literal["normal", "t"] = "normal"
) -> Garch:
    """Fit by maximum likelihood through `arch`.

    Parameters
    ----------
    returns : Vector [T]   Log returns of bars of one length; NaN is left out.

    Raises
    ------
    PlimsollError   `MISSING_EXTRA` without `arch`, `TOO_LITTLE_HISTORY` below 250 returns, `BAD_PRICE` where
                    the returns do not move, so that nothing can be fitted.
    """
    known = returns[~np.isnan(returns)]
    if len(known) < _FEWEST:
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"{len(known)} returns; a GARCH fit needs {_FEWEST}",
            where="GARCH fit",
            remedy="Give more bars, or choose an estimator that needs no fit.",
        )
    if not known.std() > 0.0:
        raise PlimsollError(
            Code.BAD_PRICE,
            "the price never moves",
            where="GARCH fit",
            remedy="Choose an estimator that needs no fit, or leave this market out.",
        )
    try:
        from arch import arch_model
    except ImportError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "fitting a GARCH needs the package arch",
            where="GARCH fit",
            remedy="Install plimsoll-margin[backtest].",
        ) from error
    model = arch_model(
        known * _PERCENT,
        mean="Constant",
        vol="GARCH",
        p=1,
        o=1 if asymmetric else 0,
        q=1,
        dist="t" if shocks == "t" else "normal",
        rescale=False,
    )
    found = model.fit(disp="off", show_warning=False).params
    freedom = float(found["nu"]) if shocks == "t" else None
    return Garch(
        omega=max(float(found["omega"]) / _PERCENT**2, float(np.finfo(np.float64).tiny)),
        alpha=float(found["alpha[1]"]),
        gamma=float(found["gamma[1]"]) if asymmetric else 0.0,
        beta=min(float(found["beta[1]"]), _MOST_PERSISTENT),
        mean=float(found["mu"]) / _PERCENT,
        freedom=None if freedom is None else max(freedom, 2.0 + 1e-6),
    )


class RefittedMemory(NamedTuple):
    """What a refitted GARCH remembers.

    Attributes
    ----------
    returns : Vector [W]      The last returns, NaN where there was none.
    parameters : Vector [5]   omega, alpha, gamma, beta, mean; NaN before the first fit.
    variance : Vector [1]     Forecast of the next bar.
    bars : Times [1]          How many were seen.
    """

    returns: Vector
    parameters: Vector
    variance: Vector
    bars: Times


class RefittedGarch(Struct, tag=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GARCH or GJR that is fitted anew from time to time, on the last bars only; needs `arch`.

    Attributes
    ----------
    window_hours : hours   What a fit sees.
    refit_hours : hours    Time between fits, counted from the first bar.
    asymmetric : bool      GJR.
    shocks : ``t`` or ``normal``
    """

    window_hours: Annotated[float, Meta(ge=250.0)] = 8_760.0
    refit_hours: Annotated[float, Meta(ge=24.0)] = 2_160.0
    asymmetric: bool = False
    shocks: Literal["normal", "t"] = "t"

    def begin(self, hours: float) -> RefittedMemory:
        """Start with no knowledge."""
        unknown = np.full(5, np.nan)
        window = np.full(round(self.window_hours / hours), np.nan)
        return RefittedMemory(window, unknown, np.full(1, np.nan), np.zeros(1, dtype=np.int64))

    def update(self, memory: RefittedMemory, observed: Observed, steps: int) -> tuple[RefittedMemory, Matrix]:
        """Absorb T bars, stopping at each refit; see `estimators.forecasts.VarianceForecaster`."""
        every = round(self.refit_hours / observed.hours)
        parts, first = [np.zeros((0, 2))], 0
        while first < len(observed.ends):
            last = min(len(observed.ends), first + every - int(memory.bars[0]) % every)
            memory, path = self._filtered(memory, observed.rows(first, last), steps)
            if memory.bars[0] % every == 0:
                memory = self._refitted(memory)
            parts.append(path)
            first = last
        return memory, np.vstack(parts)

    def estimate(self, memory: RefittedMemory, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars."""
        if np.isnan(memory.parameters).any():
            return np.full(steps, np.nan)
        return _with(memory.parameters).estimate(GarchMemory(memory.variance), steps)

    def _filtered(self, memory: RefittedMemory, piece: Observed, steps: int) -> tuple[RefittedMemory, Matrix]:
        window = len(memory.returns)
        returns = np.concatenate([memory.returns, piece.returns])[-window:]
        bars = memory.bars + len(piece.ends)
        if np.isnan(memory.parameters).any():
            return memory._replace(returns=returns, bars=bars), np.full((len(piece.ends), 2), np.nan)
        after, path = _with(memory.parameters).update(GarchMemory(memory.variance), piece, steps)
        return RefittedMemory(returns, memory.parameters, after.variance, bars), path

    def _refitted(self, memory: RefittedMemory) -> RefittedMemory:
        """Fit anew where the window can bear it; otherwise go on with what is known."""
        known = memory.returns[~np.isnan(memory.returns)]
        if len(known) < _FEWEST or not known.std() > 0.0:
            return memory
        fitted = fit_garch(known, asymmetric=self.asymmetric, shocks=self.shocks)
        found = (fitted.omega, fitted.alpha, fitted.gamma, fitted.beta, fitted.mean)
        variance = memory.variance
        if np.isnan(variance).any():
            variance = np.array([garch_filter(known, *found, fitted.long_run)[1]])
        return memory._replace(parameters=np.array(found), variance=variance)


def _with(parameters: Vector) -> Garch:
    omega, alpha, gamma, beta, mean = parameters.tolist()
    return Garch(omega=omega, alpha=alpha, gamma=gamma, beta=beta, mean=mean)

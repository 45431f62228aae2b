"""What does size cost an account: on a position, and on what it has posted?"""

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.profiles import CollateralTerms

__all__ = ["collateral_haircut", "dearest_cost"]


def dearest_cost(curves: tuple[CostCurve, ...], size: float, *, initial: bool) -> float:
    """Give the cost of closing a size as a share of it.

    Maintenance answers to the curve in force, initial margin to every announced one too: a dearer curve so
    takes force only after its notice, and new risk pays for it at once.

    Parameters
    ----------
    size : float   Quote units.
    """
    if not curves:
        return 0.0
    return max(curve.cost(size) for curve in (curves if initial else curves[:1]))


def collateral_haircut(terms: CollateralTerms, worth: float, *, initial: bool) -> float:
    r"""Give the haircut of an amount of collateral.

    .. math:: 1 - (1 - h)\,(1 - cost(w + crowd))

    with h the calibrated haircut. Non-decreasing in h, in the amount, and in what others would sell with it.

    Parameters
    ----------
    worth : float   w: value before the haircut, quote units.
    """
    flat = min(1.0, terms.haircut + (terms.haircut_initial if initial else 0.0))
    cost = dearest_cost(terms.curves, worth + terms.crowd, initial=initial)
    return flat if cost == 0.0 else 1.0 - (1.0 - flat) * (1.0 - cost)

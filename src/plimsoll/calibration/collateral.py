"""How much of an asset's value counts as collateral, and from what is that made?"""

from plimsoll.domain.collateral import CollateralAsset, CollateralSettings
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.parameters import SideParameters
from plimsoll.domain.profiles import CollateralTerms

__all__ = ["collateral_terms", "depeg_share", "haircut_of"]


def haircut_of(fall: float, cost: float, depeg: float, add_on: float) -> float:
    r"""Give the haircut.

    .. math:: 1 - (1 - q_{24h})(1 - cost)(1 - depeg)(1 - a)

    All four are shares of value that may be lost one after the other: the price falls, then the rest is sold
    at a cost, and so on; in [0, 1] and non-decreasing in each.
    """
    return 1.0 - (1.0 - fall) * (1.0 - cost) * (1.0 - depeg) * (1.0 - add_on)


def depeg_share(asset: CollateralAsset, price: float, settings: CollateralSettings) -> float:
    r"""Give what is held against the loss of a peg: a share of the worst known, and more once it gives way.

    .. math:: \min\big(1, \max(share \cdot worst,\; factor \cdot (threshold - price)^+)\big)

    Parameters
    ----------
    price : float   Of the asset now, quote units.
    """
    if not asset.stable:
        return 0.0
    gap = max(0.0, settings.peg_threshold - price)
    return min(1.0, max(settings.depeg_share * asset.worst_depeg, settings.peg_factor * gap))


def collateral_terms(
    asset: CollateralAsset,
    *,
    rates: SideParameters,
    price: float,
    held: float,
    curves: tuple[CostCurve, ...],
    add_on: float,
    settings: CollateralSettings,
) -> CollateralTerms:
    """Put an asset's terms together, for maintenance and for initial margin.

    The fall is the calibrated rate of the long side over 24 hours: maintenance under the guard's speed limit,
    initial with today's target and all that maintenance may rise to within the notice. So haircuts obey the
    notice because rates do. Where scenarios move the asset they carry its fall, and the haircut leaves it
    out. The cost is not in the haircut but follows from the curves and the amount, account by account.

    Parameters
    ----------
    rates : SideParameters   Long side, calibrated with `horizon_hours` of 24.
    price : float            Of the asset now, quote units.
    held : float             Value of the asset on all accounts, quote units.
    curves : tuple           In force, then announced; see `CollateralTerms`.
    add_on : float           From `protocol_risk.score`.
    """
    depeg = depeg_share(asset, price, settings)
    floor = settings.stable_floor if asset.stable else 0.0

    def haircut(fall: float) -> float:
        return max(floor, haircut_of(0.0 if asset.moves_with else min(fall, 1.0), 0.0, depeg, add_on))

    maintenance = haircut(rates.maintenance)
    return CollateralTerms(
        asset=asset.asset,
        haircut=maintenance,
        haircut_initial=haircut(rates.initial) - maintenance,
        moves_with=asset.moves_with,
        curves=curves,
        crowd=settings.crowd_share * held,
    )

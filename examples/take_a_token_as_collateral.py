"""What is a token worth as collateral, part by part, and how does that change with the amount?

Run: python examples/take_a_token_as_collateral.py
"""

from plimsoll.calibration.collateral import collateral_terms
from plimsoll.calibration.protocol_risk import score
from plimsoll.calibration.score_cards import protocol_card
from plimsoll.domain.collateral import CollateralAsset, CollateralSettings
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.parameters import SideParameters
from plimsoll.margin.liquidity import collateral_haircut

ANSWERS = {
    "upgrades": "a delayed vote",
    "issuance": "fixed rules in code",
    "oracle": "no outside price",
    "age": "one to three years",
    "audits": "several audits",
    "holders": "a quarter to a half",
    "venue": "the venue is a large holder or market",
}
RATES = SideParameters(maintenance=0.21, call=0.23, initial=0.26, credit=0.1, initial_credit=0.09)
CURVE = CostCurve(
    half_spread=0.0004, slope=0.01, reference=250_000.0, exponent=0.6, volatility=0.011, volume=2_000_000.0
)


def main() -> None:
    """Score the token's protocol, set its terms, and print its haircut for four amounts."""
    scored = score(protocol_card(), ANSWERS)
    print("\n".join(scored.lines()))
    terms = collateral_terms(
        CollateralAsset(asset="TOKEN"),
        rates=RATES,
        price=3.2,
        held=8_000_000.0,
        curves=(CURVE,),
        add_on=scored.add_on,
        settings=CollateralSettings(),
    )
    print(f"\n{'amount':>12}  maintenance  initial")
    for worth in (10_000.0, 100_000.0, 1_000_000.0, 10_000_000.0):
        cut, cut_initial = (collateral_haircut(terms, worth, initial=initial) for initial in (False, True))
        print(f"{worth:>12,.0f}  {cut:>11.1%}  {cut_initial:>7.1%}")


if __name__ == "__main__":
    main()

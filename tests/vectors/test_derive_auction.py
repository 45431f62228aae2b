"""Does the auction give the shares, prices and margins of Derive's own tests, bid by bid?"""

import json
from typing import Any

import pytest

from plimsoll.clearing.auction import Lot, buffer_margin, discount, fee, largest_share, sell
from plimsoll.domain.settings import AuctionSettings

SCALE = 10**18
TOLERANCE = 1e-9
"""Of the reference: |x - ref| <= tol max(1, |ref|)."""
SETTINGS = AuctionSettings()


@pytest.fixture(scope="module")
def cases(vectors) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((vectors / "derive_auction.json").read_text(encoding="utf-8"))
    assert read
    return read


def close(found, reference):
    return abs(found - reference) <= TOLERANCE * max(1.0, abs(reference))


def test_every_bid_settles_as_the_venues_do(cases):
    for case in cases:
        reserved, kept = 0.0, 1.0
        for bid in case["bids"]:
            told = {name: figure / SCALE for name, figure in bid["Results"].items()}
            lot = Lot(told["PreMtM"], told["PreMM"], reserved)
            price = discount(bid["Time"], SETTINGS)
            wanted = min(bid["Liquidator"]["PercentWant"] / SCALE / kept, 1.0)
            sale = sell(lot, wanted, price, SETTINGS.buffer)
            found = {
                "PreBM": buffer_margin(lot, SETTINGS.buffer),
                "PreFMax": largest_share(lot, price, SETTINGS.buffer),
                "ExpectedBidPrice": sale.price,
                "FinalPercentageReceived": sale.share * kept,
                "PostMtM": sale.left.value,
                "PostMM": sale.left.margin,
                "PostBM": buffer_margin(sale.left, SETTINGS.buffer),
                "PostFMax": largest_share(sale.left, price, SETTINGS.buffer),
            }
            for name, figure in found.items():
                assert close(figure, told[name]), (case["id"], bid["Time"], name)
            reserved, kept = sale.left.reserved, kept * (1.0 - sale.share)


def test_the_fee_is_the_venues_where_the_first_bid_comes_at_once(cases):
    at_once = [case for case in cases if case["bids"][0]["Time"] == 0]
    assert at_once
    for case in at_once:
        told, paid = case["bids"][0]["Results"], case["liquidation_fee"]
        before = Lot(told["PreMtM"] / SCALE + paid, told["PreMM"] / SCALE + paid)
        assert close(fee(before, SETTINGS), paid)

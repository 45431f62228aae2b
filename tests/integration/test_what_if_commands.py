"""Do the commands on options answer, for people and for scripts, and refuse bad input in one line?"""

import json

import msgspec
import pytest
from msgspec import structs

from plimsoll.cli import application
from plimsoll.domain.accounts import Account
from plimsoll.margin.breakdown import break_down
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.liquidation_price import liquidation_prices
from plimsoll.margin.profiles import profile
from plimsoll.margin.terms import ParameterTerms, ProfileTerms
from tests.support.desks import DESK, QUOTES, market, write_desk
from tests.support.venues import MARKETS, cross_margin, parameter_set

PROFILE = ("--profile", "span-16")
ADD = ("--add", "BTC-27MAR26-90000-P:+10")
LINEAR = {
    "name": "keeper",
    "collateral": [{"asset": "USD", "amount": "14000"}],
    "positions": [{"instrument": "BTC-PERP", "quantity": "2", "entry_price": "60000"}],
}


@pytest.fixture
def plimsoll(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in an empty folder; return its status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["plimsoll", *words])
        status = application._status()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def desk(tmp_path):
    return write_desk(tmp_path)


@pytest.fixture
def linear(tmp_path):
    (tmp_path / "parameters.json").write_bytes(msgspec.json.encode(parameter_set(cross_margin())))
    (tmp_path / "keeper.json").write_text(json.dumps(LINEAR))
    return ("--parameters", "parameters.json", "--account", "keeper.json")


def test_margin_under_a_profile_says_to_scripts_what_the_function_does(plimsoll, desk):
    status, out, _ = plimsoll("margin", *PROFILE, *desk, "--json")
    told = break_down(DESK, market(), profile("span-16"))
    assert status == 0
    assert json.loads(out) == json.loads(msgspec.json.encode(told))


def test_explaining_adds_what_each_position_loses(plimsoll, desk):
    brief, whole = (plimsoll("margin", *PROFILE, *desk, *more)[1] for more in ((), ("--explain",)))
    told = break_down(DESK, market(), profile("span-16"))
    assert "short options" in brief
    assert f"{told.maintenance / 1e6:,.2f}" in brief
    assert "BTC-27MAR26-80000-P" not in brief
    for line in told.contributions:
        assert line.instrument in whole
        assert f"${abs(line.loss) / 1e6:,.2f}" in whole
    assert told.worst in whole
    assert max(map(len, whole.splitlines())) <= 100


def test_a_trade_of_options_is_shown_before_and_after(plimsoll, desk):
    told = json.loads(plimsoll("what-if", *PROFILE, *desk, *ADD, "--json")[1])
    shown = plimsoll("what-if", *PROFILE, *desk, *ADD)[1]
    assert told["trades"] == [{"instrument": "BTC-27MAR26-90000-P", "quantity": "10"}]
    for side in ("before", "after"):
        assert sum(part[side] for part in told["parts"]) == told[side]["maintenance"]
        assert f"${told[side]['maintenance'] / 1e6:,.2f}" in shown
    assert "desk after +10 BTC-27MAR26-90000-P" in shown


def test_a_trade_under_parameters_is_shown_before_and_after(plimsoll, linear):
    words = ("what-if", *linear, "--add", "ETH-PERP:-20", "--mark", "ETH=2900")
    told = json.loads(plimsoll(*words, "--json")[1])
    assert told["after"]["maintenance"] != told["before"]["maintenance"]
    assert "ETH-PERP by itself" in plimsoll(*words)[1]


@pytest.mark.parametrize("side", ["below", "above"])
def test_liquidation_prices_are_shown_on_both_sides(plimsoll, desk, side):
    told = json.loads(plimsoll("liquidation-price", *PROFILE, *desk, "--market", "btc", "--json")[1])
    assert told["below"] < told["price"] == QUOTES.prices["BTC"] < told["above"]
    assert told == msgspec.to_builtins(
        liquidation_prices(DESK, "BTC", ProfileTerms(profile("span-16"), market()))
    )
    shown = plimsoll("liquidation-price", *PROFILE, *desk, "--market", "BTC")[1]
    assert f"${told[side]:,.2f}" in shown


def test_a_long_account_under_parameters_is_liquidated_only_below(plimsoll, linear):
    words = ("liquidation-price", *linear, "--market", "BTC")
    told = json.loads(plimsoll(*words, "--json")[1])
    account = msgspec.convert(LINEAR, Account)
    assert told == msgspec.to_builtins(
        liquidation_prices(account, "BTC", ParameterTerms(parameter_set(cross_margin()), {}))
    )
    assert told["above"] is None
    assert "none" in plimsoll(*words)[1]


def test_an_account_below_maintenance_is_told_what_is_missing(plimsoll, tmp_path):
    words = write_desk(tmp_path, structs.replace(DESK, collateral=()))
    assert "are missing" in plimsoll("liquidation-price", *PROFILE, *words, "--market", "BTC")[1]
    assert "is liquidated" in plimsoll("margin", *PROFILE, *words)[1]


def holding(instrument: str, quantity: str = "1") -> Account:
    position = {"instrument": instrument, "quantity": quantity, "entry_price": "100"}
    return msgspec.convert({"name": "desk", "positions": [position]}, Account)


BAD_ACCOUNTS = {
    "an unknown instrument": (holding("BTC-27MAR26-90000-X"), "unknown-instrument"),
    "an unknown underlying": (holding("DOGE-PERP"), "unknown-instrument"),
    "an expired option": (holding("BTC-26DEC25-90000-P"), "expired-instrument"),
    "an unknown expiry": (holding("BTC-26JUN26-90000-P"), "unknown-instrument"),
    "a missing volatility": (holding("BTC-27MAR26-95000-P"), "missing-volatility"),
    "a negative strike": (holding("BTC-27MAR26--90000-P"), "unknown-instrument"),
    "a strike of zero": (holding("BTC-27MAR26-0-P"), "unknown-instrument"),
    "a quantity that is no number": (holding("BTC-27MAR26-90000-P", "NaN"), "bad-quantity"),
    "an infinite quantity": (holding("BTC-PERP", "-Infinity"), "bad-quantity"),
    "an asset under positions": (holding("BTC"), "bad-account"),
}


@pytest.mark.parametrize("command", ["margin", "liquidation-price --market BTC", "what-if --add BTC-PERP:1"])
@pytest.mark.parametrize("bad", BAD_ACCOUNTS)
def test_a_bad_account_ends_in_one_line(plimsoll, tmp_path, command, bad):
    account, code = BAD_ACCOUNTS[bad]
    words = write_desk(tmp_path, account)
    refused(plimsoll(*command.split(), *PROFILE, *words), code)


BAD_TRADES = {
    "BTC-27MAR26-90000-P": "bad-quantity",
    "BTC-27MAR26-90000-P:": "bad-quantity",
    "BTC-27MAR26-90000-P:NaN": "bad-quantity",
    "BTC-27MAR26-90000-P:sNaN": "bad-quantity",
    "BTC-27MAR26-90000-P:0": "bad-quantity",
    "BTC-27MAR26--90000-P:1": "unknown-instrument",
    "BTC-26DEC25-90000-P:1": "expired-instrument",
    "BTC-27MAR26-91000-P:1": "missing-volatility",
    "DOGE-PERP:1": "missing-parameters",
    "BTC:-5": "bad-account",
}


@pytest.mark.parametrize("trade", BAD_TRADES)
def test_a_bad_trade_ends_in_one_line(plimsoll, desk, trade):
    refused(plimsoll("what-if", *PROFILE, *desk, "--add", trade), BAD_TRADES[trade])


BAD_QUOTES: dict[str, tuple[dict[str, object], str]] = {
    "no spot": ({"prices": {"BTC-PERP": 95_000.0}}, "missing-price"),
    "a price below zero": ({"prices": {"BTC": -1.0}}, "bad-price"),
    "a price of an option": ({"prices": {"BTC": 9e4, "BTC-27MAR26-90000-P": 1.0}}, "unknown-instrument"),
    "a rate without a forward": ({"rates": {"BTC-26JUN26": 0.1}}, "missing-price"),
    "a negative strike": ({"volatilities": {"BTC-27MAR26--9-P": 0.5}}, "unknown-instrument"),
    "a negative volatility": ({"volatilities": {"BTC-27MAR26-90000-P": -0.5}}, "missing-volatility"),
    "a volatility in per cent": ({"volatilities": {"BTC-27MAR26-90000-P": 60.0}}, "missing-volatility"),
    "a rate in per cent": ({"rates": {"BTC-27MAR26": 40.0}}, "bad-price"),
    "a volatility of a future": ({"volatilities": {"BTC-27MAR26": 0.5}}, "unknown-instrument"),
    "a time without a zone": ({"time": "2026-01-15T08:00:00"}, "bad-price"),
    "an unknown field": ({"volatility": {}}, "bad-price"),
}


@pytest.mark.parametrize("bad", BAD_QUOTES)
def test_bad_quotes_end_in_one_line(plimsoll, tmp_path, bad):
    change, code = BAD_QUOTES[bad]
    words = write_desk(tmp_path, DESK, msgspec.to_builtins(QUOTES) | change)
    refused(plimsoll("margin", *PROFILE, *words), code)


def test_quotes_that_are_not_finite_are_refused(plimsoll, tmp_path):
    write_desk(tmp_path)
    (tmp_path / "quotes.toml").write_text("time = 2026-01-15T08:00:00Z\nprices = {BTC = nan}\n")
    refused(plimsoll("margin", *PROFILE, "--account", "desk.json", "--quotes", "quotes.toml"), "bad-price")


@pytest.mark.parametrize(
    "words",
    [
        "margin --account desk.json",
        "margin --account desk.json --profile span-16",
        "margin --account desk.json --profile span-16 --quotes quotes.json --mark BTC=1",
        "margin --account desk.json --parameters parameters.json --quotes quotes.json",
        "margin --account desk.json --profile span-16 --quotes quotes.json --parameters parameters.json",
    ],
)
def test_sources_of_margin_that_do_not_fit_are_refused(plimsoll, desk, linear, words):
    refused(plimsoll(*words.split()), "bad-setting")


def test_the_own_profile_takes_its_ranges_from_a_calibrated_set(plimsoll, desk, linear):
    words = ("margin", "--profile", "plimsoll", *desk, "--json")
    status, out, err = plimsoll(*words, "--parameters", "parameters.json")
    assert (status, err) == (0, "")
    calibrated, packaged = json.loads(out), json.loads(plimsoll(*words)[1])
    told = break_down(DESK, market(), with_calibration(profile("plimsoll"), parameter_set(cross_margin())))
    assert calibrated == json.loads(msgspec.json.encode(told))
    assert calibrated["maintenance"] != packaged["maintenance"]


def test_a_profile_of_tiers_asks_for_more_where_more_is_held_open(plimsoll, tmp_path):
    held = structs.replace(DESK, collateral=DESK.collateral[:1], positions=DESK.positions[:1])

    def asked(open_notional):
        words = write_desk(tmp_path, held, structs.replace(QUOTES, open_notional=open_notional))
        return plimsoll("margin", "--profile", "dydx-large-cap", *words, "--json")

    notional = 2 * 95_020
    for level, fraction in ((0.0, 0.02), (37.5e6, 0.02 + 0.5 * 0.98), (60e6, 1.0)):
        told = json.loads(asked({"BTC": level})[1])
        assert told["initial"] == pytest.approx(fraction * notional * 1e6, abs=1)
        assert told["maintenance"] == pytest.approx(0.012 * notional * 1e6, abs=1)
    refused(asked({}), "missing-parameters")


def test_what_no_terms_know_is_refused(plimsoll, desk, linear):
    refused(plimsoll("margin", "--profile", "nowhere", *desk), "unknown-policy")
    refused(plimsoll("liquidation-price", *PROFILE, *desk, "--market", "SOL"), "unknown-market")
    refused(plimsoll("what-if", *linear, *ADD), "unsupported-instrument")
    assert "SOL" in MARKETS


def refused(ended: tuple[int, str, str], code: str) -> None:
    status, out, err = ended
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert f"[{code}]" in err

"""Which endpoints are there?

This table is the API: routes, the OpenAPI document and the tests come from it.
"""

from plimsoll.domain.parameters import JointScenarios, ParameterSet, SideEvidence
from plimsoll.margin.liquidation_price import LiquidationPrices
from plimsoll.margin.what_if import WhatIf
from plimsoll.service import (
    account_margin,
    accounts,
    auctions,
    boards,
    custom_stress,
    market_ticks,
    markets,
    operations,
    prices,
    writes,
)
from plimsoll.service.branching import Branching
from plimsoll.service.endpoints import Cursor, Endpoint
from plimsoll.service.live_feed import SourceLine
from plimsoll.service.reporters import AgreedLine, Reports, ReportsAnswer
from plimsoll.service.stress import StressResult
from plimsoll.service.tokens import Scope
from plimsoll.service.view import Moment

__all__ = ["ENDPOINTS"]

_GET, _POST = "GET", "POST"

_OPEN = (
    Endpoint(
        method=_GET,
        path="/v1/health",
        scope=None,
        summary="Does the process answer?",
        handle=operations.alive,
        answer=operations.Alive,
    ),
    Endpoint(
        method=_GET,
        path="/v1/ready",
        scope=None,
        summary="Is the venue open?",
        handle=operations.ready,
        answer=operations.Ready,
    ),
)


_READ = (
    Endpoint(
        method=_GET,
        path="/v1/overview",
        scope=Scope.READ,
        summary="What is the venue's state at a glance?",
        handle=markets.overview,
        answer=markets.Overview,
    ),
    Endpoint(
        method=_GET,
        path="/v1/markets",
        scope=Scope.READ,
        summary="How do the markets stand, and what do they charge?",
        handle=markets.markets,
        answer=tuple[markets.Market, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/sources",
        scope=Scope.READ,
        summary="Which sources of prices are heard, and what of them is refused?",
        handle=prices.sources,
        answer=tuple[SourceLine, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/reports",
        scope=Scope.READ,
        summary="What do reporters say, and what do they agree on?",
        handle=prices.reports,
        answer=tuple[AgreedLine, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/instruments",
        scope=Scope.READ,
        summary="What is traded and held, in which lots?",
        handle=operations.instruments,
        answer=tuple[operations.InstrumentLine, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/boards",
        scope=Scope.READ,
        summary="Which options are listed, and how do they stand?",
        handle=boards.boards,
        answer=tuple[boards.Board, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/parameters",
        scope=Scope.READ,
        summary="Which parameters are in force?",
        handle=markets.parameters,
        answer=ParameterSet,
    ),
    Endpoint(
        method=_GET,
        path="/v1/parameters/scenarios",
        scope=Scope.READ,
        summary="Which joint scenarios net hedges, now and as announced?",
        handle=markets.scenario_tables,
        answer=tuple[JointScenarios, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/parameters/history",
        scope=Scope.READ,
        summary="Which parameters were in force before?",
        handle=markets.parameter_history,
        answer=tuple[ParameterSet, ...],
        query=Cursor,
    ),
    Endpoint(
        method=_GET,
        path="/v1/parameters/evidence",
        scope=Scope.READ,
        summary="What does each rate rest on?",
        handle=markets.evidence,
        answer=tuple[SideEvidence, ...],
        query=markets.EvidenceQuery,
    ),
    Endpoint(
        method=_GET,
        path="/v1/parameters/announced",
        scope=Scope.READ,
        summary="Which rises are announced?",
        handle=markets.announced,
        answer=tuple[markets.Announcement, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/accounts",
        scope=Scope.READ,
        summary="Which accounts are nearest to liquidation?",
        handle=accounts.accounts_page,
        answer=accounts.AccountPage,
        query=accounts.AccountQuery,
    ),
    Endpoint(
        method=_GET,
        path="/v1/accounts/{account}",
        scope=Scope.READ,
        summary="What does an account hold?",
        handle=accounts.account_detail,
        answer=accounts.AccountDetail,
    ),
    Endpoint(
        method=_GET,
        path="/v1/accounts/{account}/margin",
        scope=Scope.READ,
        summary="What must an account hold, and why?",
        handle=account_margin.account_margin,
        answer=account_margin.MarginAnswer,
    ),
    Endpoint(
        method=_GET,
        path="/v1/accounts/{account}/liquidation-price",
        scope=Scope.READ,
        summary="At which prices is an account liquidated?",
        handle=account_margin.account_liquidation_price,
        answer=LiquidationPrices,
        query=account_margin.MarketQuery,
    ),
    Endpoint(
        method=_GET,
        path="/v1/stress",
        scope=Scope.READ,
        summary="What would each scenario of the library do now?",
        handle=markets.stress_results,
        answer=tuple[StressResult, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/branching",
        scope=Scope.READ,
        summary="Would forced selling feed itself?",
        handle=markets.branching_ratios,
        answer=tuple[Branching, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/auctions",
        scope=Scope.READ,
        summary="Which accounts are on the block, and at what price?",
        handle=auctions.auctions,
        answer=tuple[auctions.AuctionLine, ...],
    ),
    Endpoint(
        method=_GET,
        path="/v1/happened",
        scope=Scope.READ,
        summary="Who was called, liquidated or closed, and who paid?",
        handle=markets.happened_page,
        answer=markets.HappenedPage,
        query=Cursor,
    ),
    Endpoint(
        method=_GET,
        path="/v1/series",
        scope=Scope.READ,
        summary="What do the charts show?",
        handle=markets.series,
        answer=tuple[Moment, ...],
        query=markets.SeriesQuery,
    ),
    Endpoint(
        method=_GET,
        path="/v1/journal",
        scope=Scope.READ,
        summary="How far has the journal come?",
        handle=markets.journal_position,
        answer=markets.JournalPosition,
    ),
    Endpoint(
        method=_GET,
        path="/v1/metrics",
        scope=Scope.READ,
        summary="What does the service count, for Prometheus?",
        handle=operations.metrics,
        answer=str,
    ),
    Endpoint(
        method=_POST,
        path="/v1/accounts/{account}/what-if",
        scope=Scope.READ,
        summary="What would trades change?",
        handle=account_margin.account_what_if,
        answer=WhatIf,
        body=account_margin.Trades,
    ),
)

_WRITE = (
    Endpoint(
        method=_POST,
        path="/v1/accounts",
        scope=Scope.TRADE,
        summary="Open an account.",
        handle=writes.open_account,
        answer=writes.WriteAnswer,
        body=writes.NewAccount,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/accounts/{account}/deposits",
        scope=Scope.TRADE,
        summary="Pay cash in.",
        handle=writes.deposit,
        answer=writes.WriteAnswer,
        body=writes.Amount,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/accounts/{account}/withdrawals",
        scope=Scope.TRADE,
        summary="Pay cash out.",
        handle=writes.withdraw,
        answer=writes.WriteAnswer,
        body=writes.Amount,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/fills",
        scope=Scope.TRADE,
        summary="Book a trade of the matching engine.",
        handle=writes.fill,
        answer=writes.WriteAnswer,
        body=writes.Fill,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/accounts/{account}/bids",
        scope=Scope.TRADE,
        summary="Bid for a share of an account on the block.",
        handle=auctions.bid,
        answer=auctions.BidAnswer,
        body=auctions.BidBody,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/ticks",
        scope=Scope.RISK,
        summary="Move the market.",
        handle=market_ticks.tick,
        answer=writes.WriteAnswer,
        body=market_ticks.TickBody,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/boards",
        scope=Scope.RISK,
        summary="List options of one expiry.",
        handle=boards.list_board,
        answer=writes.WriteAnswer,
        body=boards.NewBoard,
        writes=True,
    ),
    Endpoint(
        method=_POST,
        path="/v1/fund",
        scope=Scope.RISK,
        summary="Pay into the insurance fund or the backstop.",
        handle=writes.fund,
        answer=writes.WriteAnswer,
        body=writes.Payment,
        writes=True,
    ),
)

_DESK = (
    Endpoint(
        method=_POST,
        path="/v1/reports",
        scope=Scope.REPORT,
        summary="Report signed prices.",
        handle=prices.report,
        answer=ReportsAnswer,
        body=Reports,
    ),
    Endpoint(
        method=_POST,
        path="/v1/stress",
        scope=Scope.RISK,
        summary="What would moves of one's own do now?",
        handle=custom_stress.custom_stress,
        answer=StressResult,
        body=custom_stress.Shock,
    ),
    Endpoint(
        method=_GET,
        path="/v1/audit",
        scope=Scope.ADMIN,
        summary="Who asked for which write?",
        handle=writes.audit_page,
        answer=writes.AuditPage,
        query=Cursor,
    ),
)

ENDPOINTS: tuple[Endpoint, ...] = _OPEN + _READ + _WRITE + _DESK

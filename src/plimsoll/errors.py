"""How does Plimsoll say what is wrong, where it is, and what to do about it?"""

from enum import StrEnum

__all__ = ["Code", "PlimsollError", "missing_file"]


class Code(StrEnum):
    """Stable names of what can go wrong; programs match on these, never on the sentence."""

    MISSING_FILE = "missing-file"
    UNREADABLE_FILE = "unreadable-file"
    FILE_EXISTS = "file-exists"
    MISSING_COLUMN = "missing-column"
    UNKNOWN_MARKET = "unknown-market"
    AMBIGUOUS_MARKET = "ambiguous-market"
    BAD_TIME = "bad-time"
    UNSORTED_TIMES = "unsorted-times"
    DUPLICATE_TIMES = "duplicate-times"
    UNEVEN_BARS = "uneven-bars"
    BAD_PRICE = "bad-price"
    BAD_VOLUME = "bad-volume"
    BAD_BOOK = "bad-book"
    EMPTY_RANGE = "empty-range"
    TOO_LITTLE_HISTORY = "too-little-history"
    UNKNOWN_SCENARIO = "unknown-scenario"
    UNKNOWN_POLICY = "unknown-policy"
    BAD_SETTING = "bad-setting"
    BAD_ACCOUNT = "bad-account"
    UNKNOWN_ACCOUNT = "unknown-account"
    UNKNOWN_INSTRUMENT = "unknown-instrument"
    UNSUPPORTED_INSTRUMENT = "unsupported-instrument"
    MISSING_PRICE = "missing-price"
    MISSING_VOLATILITY = "missing-volatility"
    EXPIRED_INSTRUMENT = "expired-instrument"
    BAD_STRIKE = "bad-strike"
    BAD_QUANTITY = "bad-quantity"
    MISSING_PARAMETERS = "missing-parameters"
    INSUFFICIENT_MARGIN = "insufficient-margin"
    OTHER_SIDE_REFUSED = "other-side-refused"
    WITHDRAWALS_GATED = "withdrawals-gated"
    NOT_AUCTIONED = "not-auctioned"
    AMOUNT_OUT_OF_RANGE = "amount-out-of-range"
    UNKNOWN_TRANSITION = "unknown-transition"
    OUT_OF_ORDER = "out-of-order"
    BROKEN_JOURNAL = "broken-journal"
    BAD_ENTRY = "bad-entry"
    STORE_FAILED = "store-failed"
    STORE_IN_USE = "store-in-use"
    EXCHANGE_FAILED = "exchange-failed"
    MISSING_EXTRA = "missing-extra"
    NO_VOLATILITY = "no-volatility"
    NO_SURFACE = "no-surface"
    UNAUTHENTICATED = "unauthenticated"
    WRONG_SCOPE = "wrong-scope"
    TOO_MANY_REQUESTS = "too-many-requests"
    TOO_LARGE = "too-large"
    NOT_FOUND = "not-found"
    BAD_REQUEST = "bad-request"
    KEY_REUSED = "key-reused"
    OVERLOADED = "overloaded"
    NOT_READY = "not-ready"
    ADDRESS_TAKEN = "address-taken"
    BAD_KEY = "bad-key"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_REPORTER = "unknown-reporter"
    EQUIVOCAL = "equivocal"
    CHAIN_FAILED = "chain-failed"
    CHAIN_REFUSED = "chain-refused"


class PlimsollError(Exception):
    """An error that a user meets: one line that says what, where and what to do.

    Parameters
    ----------
    code : Code   What kind of error; stable across releases.
    what : str    What is wrong, with the offending value.
    where : str   File and row, field path or event that it was found in.
    remedy : str  What the reader can do about it.
    """

    def __init__(self, code: Code, what: str, *, where: str, remedy: str) -> None:
        super().__init__(code, what, where, remedy)
        self.code = code
        self.what = what
        self.where = where
        self.remedy = remedy

    def __reduce__(self) -> tuple[object, ...]:
        return _error, (self.code, self.what, self.where, self.remedy)

    def __str__(self) -> str:
        return f"{self.where}: {self.what} [{self.code}]. {self.remedy}"


def missing_file(path: str, error: OSError) -> PlimsollError:
    """Say that a file which the user named cannot be read, and why."""
    return PlimsollError(
        Code.MISSING_FILE,
        f"cannot be read: {(error.strerror or 'unknown error').lower()}",
        where=path,
        remedy="Give the path of a file that exists and may be read.",
    )


def _error(code: Code, what: str, where: str, remedy: str) -> PlimsollError:
    """Build an error again in another process: exceptions travel as positional arguments."""
    return PlimsollError(code, what, where=where, remedy=remedy)

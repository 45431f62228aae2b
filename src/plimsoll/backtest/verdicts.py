"""What does a test say, on how many observations, and how sure is it?"""

from dataclasses import dataclass

__all__ = ["Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one statistical test.

    Attributes
    ----------
    test : str           Its name, as a risk committee knows it.
    statistic : float
    p_value : float      Chance of a statistic at least this extreme where the claim is true.
    observations : int   Sample size.
    breaches : int       Excursions beyond the rate among them.
    basis : str          Where the p-value comes from: a limiting distribution, or a simulation of this size.
    """

    test: str
    statistic: float
    p_value: float
    observations: int
    breaches: int
    basis: str

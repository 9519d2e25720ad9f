"""Fellegi–Sunter weights: what each level of each comparison says for or against two units being one entity.

Weights are whole hundredths of a bit, so that sums are exact and equal in every run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

from rules.matching import MatchingRules

HUNDREDTHS = 100


@dataclass(frozen=True, kw_only=True)
class Weights:
    """m and u by (attribute, level), and the odds before anything is compared."""

    probabilities: Mapping[tuple[str, str], tuple[float, float]]
    prior_bits: int

    def of(self, attribute: str, level: str) -> int:
        """log2(m/u) in hundredths."""
        m, u = self.probabilities[attribute, level]
        return round(HUNDREDTHS * log2(m / u))


def default_weights(rules: MatchingRules, units: int) -> Weights:
    """The weights that stand in the rules; a unit has about one counterpart among all."""
    found = {(c.attribute, level.key): (level.m, level.u) for c in rules.comparisons.values() for level in c.levels}
    return Weights(probabilities=found, prior_bits=round(-HUNDREDTHS * log2(max(units, 2))))

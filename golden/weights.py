"""Fellegi–Sunter weights: what each level of each comparison says for or against two units being one entity.

Weights are whole hundredths of a bit, so that sums are exact and equal in every run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

from rules.matching import MatchingRules

HUNDREDTHS = 100


@dataclass(frozen=True, kw_only=True)
class Weights:
    """m and u by (attribute, level), the odds before anything is compared (hundredths of a bit), and the units among which all this was
    learnt.
    """

    probabilities: Mapping[tuple[str, str], tuple[float, float]]
    prior_bits: int
    units: int

    def of(self, attribute: str, level: str) -> int:
        """log2(m/u) in hundredths."""
        m, u = self.probabilities[attribute, level]
        return round(HUNDREDTHS * log2(m / u))

    def to_json(self) -> str:
        """As it is kept with a run; `from_json` gives the same weights back, bit for bit."""
        rows = [[attribute, level, m, u] for (attribute, level), (m, u) in self.probabilities.items()]
        return json.dumps({"prior_bits": self.prior_bits, "units": self.units, "probabilities": rows})

    @classmethod
    def from_json(cls, text: str) -> "Weights":
        said = json.loads(text)
        probabilities = {(attribute, level): (float(m), float(u)) for attribute, level, m, u in said["probabilities"]}
        return cls(probabilities=probabilities, prior_bits=said["prior_bits"], units=said["units"])


def default_weights(rules: MatchingRules, units: int) -> Weights:
    """The weights that stand in the rules; a unit has about one counterpart among all."""
    found = {(c.attribute, level.key): (level.m, level.u) for c in rules.comparisons.values() for level in c.levels}
    return Weights(probabilities=found, prior_bits=round(-HUNDREDTHS * log2(max(units, 2))), units=units)

"""How surely a leaked sample names its recipient, and how often an innocent: to bench/results/fingerprints.json.

`python -m bench.fingerprints [--trials N]`: each trial makes a copy of 20,000 rows for one of 60 recipients under keys of its own, leaks a
twentieth of the rows in any order, and compares that with all 60, one kind of mark at a time (the others are dropped from the file). Named
is whoever is guilty by a chance of at most 1e-6 over all 60 together.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa

from masking.fingerprints import (
    FALSE_ACCUSATION,
    PSEUDONYM,
    SPELLINGS,
    Agreement,
    agreement_of_pseudonyms,
    agreement_of_spellings,
    copy_secret,
    mark_values,
    pseudonyms_in,
    read_spellings,
)
from masking.methods import pseudonyms_of
from masking.pseudonyms import recipient_key

RESULTS = Path(__file__).parent / "results" / "fingerprints.json"
ROWS, SAMPLE, RECIPIENTS = 20_000, 1_000, 60
COMMUNITIES = 280
"""As many communities and villages as a district of this size has."""
TRIALS_A_KEY = 20
PSEUDONYM_TRIALS = 100
"""Making and comparing pseudonyms takes longer, and each carries 32 bits."""
SEED = 20261125
VALUES = {
    "province": [f"广东省佛山市南海区桂城街道{chr(0x4E00 + number)}东社区" for number in range(COMMUNITIES)],
    "dash": [f"{age}–{age + 4}" for age in range(15, 90, 5)],
}
MIXED_SHARES = (0.5, 0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    began = time.process_time()
    found = {
        "rows": ROWS,
        "sample": SAMPLE,
        "recipients": RECIPIENTS,
        "analytic_bound": FALSE_ACCUSATION,
        "load_average_before": round(os.getloadavg()[0], 1),
        "marks": {mark: spelt(mark, trials) for mark in VALUES} | {PSEUDONYM: pseudonymous(min(trials, PSEUDONYM_TRIALS))},
        "two_copies_mixed": {f"{share:.0%} of the first": mixed(share, max(trials // 20, 1)) for share in MIXED_SHARES},
    }
    found["processor_seconds"] = round(time.process_time() - began)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def spelt(mark: str, trials: int) -> dict[str, object]:
    """Rows carry one of the values each, frequent ones more often. Keys are new every TRIALS_A_KEY trials, leaked rows every time."""
    chance, keys = Random(SEED), list[Keys]()

    def trial() -> tuple[int, list[Agreement]]:
        if not keys or keys[-1].used == TRIALS_A_KEY:
            keys[:] = [Keys(mark, fresh_secrets(chance))]
        keys[-1].used += 1
        guilty = chance.randrange(RECIPIENTS)
        read = read_spellings(keys[-1].spelt[guilty][sorted(set(leaked_rows(mark, chance)))].tolist(), mark)
        return guilty, keys[-1].agreements(read)

    return told(trial, trials)


class Keys:
    """Sixty copies' keys, and how each spells every value: computed once, for all trials under these keys."""

    def __init__(self, mark: str, secrets: list[bytes]) -> None:
        self.mark, self.secrets, self.used = mark, secrets, 0
        self.spelt = np.array([mark_values(pa.array(VALUES[mark]), mark, secret).to_pylist() for secret in secrets])
        readings = [[SPELLINGS[mark].read(text) for text in row] for row in self.spelt]
        self.places = {said: place for place, (said, _) in enumerate(filter(None, readings[0]))}
        self.spellings = np.array([[spelling for _, spelling in filter(None, row)] for row in readings])

    def agreements(self, read: list[tuple[str, int]]) -> list[Agreement]:
        """The same as `agreement_of_spellings` for each key, which the first trial under the keys checks."""
        places, spelling = [self.places[said] for said, _ in read], np.array([spelling for _, spelling in read])
        agreeing = (self.spellings[:, places] == spelling).sum(axis=1)
        chance = 1 / SPELLINGS[self.mark].spellings
        found = [Agreement(mark=self.mark, values=len(read), agreeing=int(one), chance=chance) for one in agreeing]
        if self.used == 1:
            assert found == [agreement_of_spellings(read, self.mark, secret) for secret in self.secrets]
        return found


def pseudonymous(trials: int) -> dict[str, object]:
    chance = Random(SEED)

    def trial() -> tuple[int, list[Agreement]]:
        master, guilty = chance.randbytes(32), chance.randrange(RECIPIENTS)
        keys = [recipient_key(master, f"department_{number}", "1") for number in range(RECIPIENTS)]
        ids = pa.array([f"R{number:010d}" for number in chance.sample(range(ROWS), SAMPLE)])
        leaked = pseudonyms_in(pseudonyms_of(ids, keys[guilty]).to_pylist())
        return guilty, [agreement_of_pseudonyms(leaked, key.mark_secret) for key in keys]

    return told(trial, trials)


def mixed(share: float, trials: int) -> dict[str, object]:
    """Two recipients put a file together, each row from the one or the other; how often each is found."""
    chance, first, second, innocent = Random(SEED), 0, 0, 0
    for _ in range(trials):
        secrets = fresh_secrets(chance)
        one, other = chance.sample(range(RECIPIENTS), 2)
        rows = [VALUES["province"][place] for place in leaked_rows("province", chance)]
        copies = [mark_values(pa.array(rows), "province", secrets[who]).to_pylist() for who in (one, other)]
        leaked = {mine if chance.random() < share else theirs for mine, theirs in zip(*copies, strict=True)}
        read = read_spellings(leaked, "province")
        named = accused([agreement_of_spellings(read, "province", secret) for secret in secrets])
        first, second, innocent = first + (one in named), second + (other in named), innocent + bool(set(named) - {one, other})
    return {"trials": trials, "first_found": first / trials, "second_found": second / trials, "innocent_named": innocent}


def told(trial: Callable[[], tuple[int, list[Agreement]]], trials: int) -> dict[str, object]:
    found = innocent = values = 0
    for _number in range(trials):
        guilty, agreements = trial()
        named = accused(agreements)
        found, innocent, values = found + (guilty in named), innocent + bool(set(named) - {guilty}), values + agreements[0].values
    return {"trials": trials, "found": found / trials, "innocent_named": innocent, "values_that_carry_it": round(values / trials, 1)}


def accused(agreements: Sequence[Agreement]) -> list[int]:
    return [place for place, one in enumerate(agreements) if one.chance_of() * len(agreements) <= FALSE_ACCUSATION]


def fresh_secrets(chance: Random) -> list[bytes]:
    master = chance.randbytes(32)
    return [copy_secret(master, f"department_{number}", "copy") for number in range(RECIPIENTS)]


def leaked_rows(mark: str, chance: Random) -> list[int]:
    """Which value each leaked row has; values are about as unlike in frequency as communities are in size."""
    many = len(VALUES[mark])
    return chance.choices(range(many), weights=[1 + place % 10 for place in range(many)], k=SAMPLE)


if __name__ == "__main__":
    main()

"""Which valid numbers a damaged identity number may have been: candidates for comparison, never a repair (law.md D-07, X-03, X-04)."""

import numpy as np
import pyarrow as pa

WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1])
"""GB 11643 in the form Σ wᵢ·dᵢ ≡ 1 (mod 11) over all 18 places, X = 10."""

INVERSES = np.array([0, 1, 6, 4, 3, 9, 2, 8, 7, 5, 10])
"""1/w modulo 11."""


def repaired_numbers(void: pa.Table) -> pa.Table:
    """(rid, raw) → (rid, kind, value): `near` valid numbers one digit or transposition away, `prefix` the 15 digits left."""
    raw = np.array(void.column("raw").to_pylist(), dtype=object)
    rid = void.column("rid").to_numpy()
    whole = np.array(
        [len(r) == 18 and r[:17].isascii() and r[:17].isdigit() and (r[17].isdigit() or r[17] == "X") for r in raw], dtype=bool
    )
    cut = np.array([len(r) == 18 and r.isascii() and r.isdigit() and r.endswith("000") for r in raw], dtype=bool)
    near_rid, near = _one_error_away(rid[whole & ~cut], raw[whole & ~cut])
    return pa.table(
        {
            "rid": pa.array(np.concatenate([near_rid, rid[cut]]), pa.int64()),
            "kind": ["near"] * len(near_rid) + ["prefix"] * int(cut.sum()),
            "value": pa.array([*near, *(r[:15] for r in raw[cut])], pa.string()),
        }
    )


def _one_error_away(rid: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """For each place exactly one digit makes the check hold; beside these the neighbours exchanged, where that makes it hold."""
    if not len(raw):
        return np.empty(0, dtype=np.int64), []
    digits = np.array([[10 if c == "X" else int(c) for c in r] for r in raw], dtype=np.int64)
    rest = (1 - digits @ WEIGHTS) % 11
    rids, rows = [], []
    for place in range(18):
        changed = digits.copy()
        changed[:, place] = (digits[:, place] + rest * INVERSES[WEIGHTS[place] % 11]) % 11
        good = (changed[:, place] < 10) | (place == 17)
        rids.append(rid[good])
        rows.append(changed[good])
    for place in range(17):
        changed = digits.copy()
        changed[:, [place, place + 1]] = digits[:, [place + 1, place]]
        good = ((changed @ WEIGHTS) % 11 == 1) & (changed[:, :17] < 10).all(axis=1)
        rids.append(rid[good])
        rows.append(changed[good])
    text = np.array(list("0123456789X"))
    return np.concatenate(rids), ["".join(row) for row in text[np.concatenate(rows)]]

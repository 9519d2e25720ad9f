"""Noise on numbers (加噪, law.md I-01): drawn once for a recipient, a column and a person, so that asking again gives nothing to average.

The draw does not look at the value: of a value that changes from day to day the change comes through nearly as it is, the height does not.
"""

from decimal import Decimal, InvalidOperation

import pyarrow as pa

from masking.keyed_hashes import SHA256, keyed_hashes

SPREAD = Decimal("0.1")
"""A tenth of the value at most, and one unit of its last place."""

DRAW_BYTES = 7


def with_noise(values: pa.Array, subjects: pa.Array, column: str, secret: bytes) -> pa.Array:
    """Each number moved by up to SPREAD, as exact as it was; null for what is no number. A row of no known person draws by its value."""
    seeds = [f"{column}\x00{subject if subject is not None else f'={text}'}" for subject, text in _pairs(subjects, values)]
    draws = keyed_hashes(pa.array(seeds, pa.string()), secret, SHA256)
    return pa.array([_moved(text, draw) for text, draw in zip(values.to_pylist(), draws, strict=True)], pa.string())


def _pairs(subjects: pa.Array, values: pa.Array) -> list[tuple[str | None, str | None]]:
    return list(zip(subjects.to_pylist(), values.to_pylist(), strict=True))


def _moved(text: str | None, draw: bytes | None) -> str | None:
    number = _number(text)
    if number is None or draw is None:
        return None
    share = Decimal(int.from_bytes(draw[:DRAW_BYTES])) / Decimal(256**DRAW_BYTES - 1) * 2 - 1
    unit = Decimal(1).scaleb(min(0, int(number.as_tuple().exponent)))
    moved = (number + share * (abs(number) * SPREAD + unit)).quantize(unit)
    return str(max(moved, Decimal(0).quantize(unit)) if number >= 0 else moved)


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None

"""Reversal (还原): what a pseudonym or an encrypted number stands for that was handed out under a grant (I-03, I-04); by the door.

Nothing keeps pseudonyms: each value of the column is named anew, under each epoch of the recipient. An encrypted number decrypts to some
number under any key, so only what the column holds counts as found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from access.pseudonyms import is_pseudonym
from access.targets import Target
from access.terms import Grant
from golden.engine import identifier
from masking.format_preserving import decrypted
from masking.methods import RecipientKey, pseudonyms_of
from rules.errors import Refused

ROWS_A_BATCH = 65_536
MOST_REVERSED = 100
"""At once: a reversal is for single cases, never for a file."""


@dataclass(frozen=True, kw_only=True)
class Reversal:
    """What was asked, in its order, with what each stands for; None where it stands for nothing that the recipient was handed."""

    column: str
    found: tuple[tuple[str, str | None], ...] = field(repr=False)


def check_reversible(grant: Grant, target: Target, column: str, asked: Sequence[str]) -> None:
    """Refused DOOR-REVERSE for none or more than MOST_REVERSED at once, or a column that the grant or its target does not have."""
    if column not in grant.columns or column not in target.columns or not 0 < len(asked) <= MOST_REVERSED:
        raise Refused("DOOR-REVERSE", where=str(grant.id), what=str(MOST_REVERSED))


def reverse(con: duckdb.DuckDBPyConnection, target: Target, column: str, asked: Sequence[str], keys: Sequence[RecipientKey]) -> Reversal:
    """Look for all that is asked. `keys`: the recipient's, one an epoch."""
    names = [text for text in asked if is_pseudonym(text)]
    known = _named(con, target, column, names, keys) | _numbered(con, target, column, [text for text in asked if text not in names], keys)
    return Reversal(column=column, found=tuple((text, known.get(text)) for text in asked))


def _named(
    con: duckdb.DuckDBPyConnection, target: Target, column: str, names: Sequence[str], keys: Sequence[RecipientKey]
) -> dict[str, str]:
    wanted, found = pa.array(names, pa.string()), dict[str, str]()
    for values in _values(con, target, column) if names else ():
        for key in keys:
            made = pseudonyms_of(values, key)
            hit = pc.is_in(made, value_set=wanted)
            found |= dict(zip(made.filter(hit).to_pylist(), values.filter(hit).to_pylist(), strict=True))
    return found


def _numbered(
    con: duckdb.DuckDBPyConnection, target: Target, column: str, numbers: Sequence[str], keys: Sequence[RecipientKey]
) -> dict[str, str]:
    candidates = [(text, plain) for key in keys for text in numbers if (plain := decrypted(text, key.number_secret))]
    held = _held(con, target, column, [plain for _, plain in candidates])
    return {text: plain for text, plain in candidates if plain in held}


def _values(con: duckdb.DuckDBPyConnection, target: Target, column: str) -> Iterator[pa.Array]:
    name = identifier(column)
    query = f"SELECT DISTINCT {name}::VARCHAR AS value FROM {target.relation} WHERE {name} IS NOT NULL"
    for batch in con.sql(query).to_arrow_reader(ROWS_A_BATCH):
        yield batch["value"]


def _held(con: duckdb.DuckDBPyConnection, target: Target, column: str, plain: Sequence[str]) -> set[str]:
    """Which of these values the column holds."""
    if not plain:
        return set()
    name = f"{identifier(column)}::VARCHAR"
    held = f"SELECT DISTINCT {name} FROM {target.relation} WHERE {name} IN (SELECT unnest($1))"
    return {value for (value,) in con.execute(held, [list(plain)]).fetchall()}


def subjects_of(reversal: Reversal) -> Mapping[str, str]:
    """What was found: what was asked → what it stands for."""
    return {asked: value for asked, value in reversal.found if value is not None}

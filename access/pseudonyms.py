"""Whom a pseudonym means that a department was handed (I-04): so that it can name a resident whom it may not know (law.md L-25)."""

import re
from collections.abc import Sequence

import duckdb
import pyarrow.compute as pc

from access.targets import RESIDENT_ID, GoldenFiles
from golden.versions import relation
from masking.methods import PSEUDONYM_HEX_DIGITS, RecipientKey, pseudonyms_of

ROWS_A_BATCH = 65_536
PSEUDONYM = re.compile(rf"[0-9a-f]{{{PSEUDONYM_HEX_DIGITS}}}")


def is_pseudonym(text: str) -> bool:
    """Whether a text has the form of one."""
    return PSEUDONYM.fullmatch(text) is not None


def resident_behind(golden: GoldenFiles, pseudonym: str, keys: Sequence[RecipientKey]) -> str | None:
    """The resident whom a pseudonym means in what a department was handed; None where it means none, or is another department's.

    Every resident's pseudonym is computed anew, under each epoch's key: nothing keeps them.
    """
    with duckdb.connect() as con:
        reader = con.sql(f"SELECT {RESIDENT_ID} FROM {relation(golden.folder, 'residents')}").to_arrow_reader(ROWS_A_BATCH)
        for batch in reader:
            for key in keys:
                place = pc.index(pseudonyms_of(batch[RESIDENT_ID], key), pseudonym).as_py()
                if place >= 0:
                    return str(batch[RESIDENT_ID][place].as_py())
    return None

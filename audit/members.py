"""Sets of people that records name by a digest, turned round: from one number to the records whose set holds it.

A set lies in blocks of 4,096 numbers, one bit each, all sets of one block side by side, so that one question reads one block of each set
and nothing else. What cannot be read is kept as such, for it may hold anybody.
"""

import sqlite3
from collections.abc import Callable, Sequence

import numpy as np

BLOCK = 4_096
BITS_A_BYTE = 8

MEMBER_TABLES = """
CREATE TABLE IF NOT EXISTS members (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, read INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS members_block (block INTEGER, set_id INTEGER, bits BLOB NOT NULL, PRIMARY KEY (block, set_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members_use (set_id INTEGER, seq INTEGER, PRIMARY KEY (set_id, seq)) WITHOUT ROWID
"""


def keep_members(
    con: sqlite3.Connection, digest: str, seqs: Sequence[int], read: Callable[[str], Sequence[int] | np.ndarray | None]
) -> None:
    """That the records at these indices name this set; who is in it is read once."""
    known = con.execute("SELECT id, read FROM members WHERE digest = ?", (digest,)).fetchall()
    if not known or not known[0][1]:
        numbers = read(digest)
        con.execute(
            "INSERT INTO members (digest, read) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET read = excluded.read",
            (digest, numbers is not None),
        )
        known = con.execute("SELECT id, read FROM members WHERE digest = ?", (digest,)).fetchall()
        if numbers is not None:
            _keep_blocks(con, known[0][0], np.asarray(numbers, np.int64))
    con.executemany("INSERT OR IGNORE INTO members_use VALUES (?, ?)", [(known[0][0], seq) for seq in seqs])


def holding(con: sqlite3.Connection, member: int) -> list[int]:
    """The records whose set holds this number, newest first."""
    place = member % BLOCK
    sql = """SELECT seq, substr(bits, ?, 1) FROM members_block JOIN members_use USING (set_id) WHERE block = ? ORDER BY seq DESC"""
    rows = con.execute(sql, (place // BITS_A_BYTE + 1, member // BLOCK))
    return [seq for seq, byte in rows if byte[0] >> place % BITS_A_BYTE & 1]


def unread_sets(con: sqlite3.Connection) -> list[int]:
    """The records whose set could not be read, newest first."""
    sql = "SELECT seq FROM members JOIN members_use ON set_id = id WHERE NOT read ORDER BY seq DESC"
    return [seq for (seq,) in con.execute(sql)]


def _keep_blocks(con: sqlite3.Connection, set_id: int, numbers: np.ndarray) -> None:
    if len(numbers) == 0:
        return
    blocks, place = np.unique(numbers // BLOCK, return_inverse=True)
    flags = np.zeros((len(blocks), BLOCK), bool)
    flags[place, numbers % BLOCK] = True
    bits = np.packbits(flags, axis=1, bitorder="little")
    rows = ((block, set_id, row.tobytes()) for block, row in zip(blocks.tolist(), bits, strict=True))
    con.executemany("INSERT INTO members_block VALUES (?, ?, ?)", rows)

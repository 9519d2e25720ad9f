"""Keys for masks: one set per recipient and epoch, derived from a master key that lies outside the database (law.md I-04, I-11).

Two recipients cannot join their extracts: their keys are unrelated unless one holds the master key.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from masking import keyed_hashes
from masking.methods import RecipientKey

KEY_BYTES = 32
SHORTEST_MASTER_BYTES = 32


def recipient_key(master: bytes, recipient: str, epoch: str, digest: str = keyed_hashes.SHA256) -> RecipientKey:
    """The key of a recipient (a department's key) in an epoch (a new one makes all its pseudonyms new)."""
    assert len(master) >= SHORTEST_MASTER_BYTES, "the master key is too short"
    return RecipientKey(
        secret=_derived(master, b"pseudonym", recipient, epoch),
        digest=digest,
        number_secret=_derived(master, b"number", recipient, epoch),
        noise_secret=_derived(master, b"noise", recipient, epoch),
        order_secret=_derived(master, b"order", recipient, epoch),
        mark_secret=_derived(master, b"mark", recipient, epoch),
    )


def _derived(master: bytes, use: bytes, recipient: str, epoch: str) -> bytes:
    info = b"tongchou " + use + b" v1\x00" + recipient.encode() + b"\x00" + epoch.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)

"""Signed notes and checkpoints in the formats of C2SP (signed-note, tlog-checkpoint), signed with Ed25519.

A checkpoint is the note whose text is three lines: the origin (the log's name), the number of leaves, the root in base64.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import KeyProblem, ProofInvalid
from audit.merkle import HASH_BYTES

ALGORITHM_ED25519 = b"\x01"
ALGORITHM_COSIGNATURE = b"\x04"
TIME_BYTES = 8
KEY_ID_BYTES = 4
SIGNATURE_MARK = "— "


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """A name and the public key that signs under it; written as a C2SP verifier key `name+id+key`."""

    name: str
    public: bytes
    algorithm: bytes = ALGORITHM_ED25519

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + self.algorithm + self.public).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.algorithm + self.public).decode()}"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The head of a log: how many leaves and their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_verifier(text: str) -> Verifier:
    """The verifier key in `text`; raises KeyProblem if it is malformed or its id is not that of its key."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as fault:
        raise KeyProblem("this is not a verifier key") from fault
    verifier = Verifier(name=name, public=data[1:], algorithm=data[:1])
    if data[:1] not in (ALGORITHM_ED25519, ALGORITHM_COSIGNATURE) or verifier.key_id.hex() != key_id:
        raise KeyProblem("the verifier key's id does not belong to its key")
    return verifier


def sign(text: str, verifier: Verifier, private: Ed25519PrivateKey) -> str:
    """The note: text, an empty line, one signature line."""
    signature = base64.b64encode(verifier.key_id + private.sign(text.encode())).decode()
    return f"{text}\n{SIGNATURE_MARK}{verifier.name} {signature}\n"


def cosign(text: str, verifier: Verifier, private: Ed25519PrivateKey, seconds: int) -> str:
    """A witness's line under a checkpoint (C2SP tlog-cosignature): that at that time it was consistent with all that it had seen."""
    signature = private.sign(_stamped(text, seconds))
    line = base64.b64encode(verifier.key_id + seconds.to_bytes(TIME_BYTES, "big") + signature).decode()
    return f"{SIGNATURE_MARK}{verifier.name} {line}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """The signed text; raises ProofInvalid unless a line of this verifier signs it."""
    text, gap, signatures = note.rpartition("\n\n")
    text += "\n"
    for line in signatures.splitlines() if gap else []:
        if _signs(line, text, verifier):
            return text
    raise ProofInvalid(f"the note carries no valid signature of {verifier.name}")


def read_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """The checkpoint in a note that `verifier` signed."""
    lines = open_note(note, verifier).splitlines()
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError, binascii.Error) as fault:
        raise ProofInvalid("the signed text is not a checkpoint") from fault
    if origin != verifier.name or size < 0 or len(root) != HASH_BYTES:
        raise ProofInvalid("the checkpoint is not one of this log")
    return Checkpoint(origin=origin, size=size, root=root)


def _signs(line: str, text: str, verifier: Verifier) -> bool:
    name, _, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    if not line.startswith(SIGNATURE_MARK) or name != verifier.name or data[:KEY_ID_BYTES] != verifier.key_id:
        return False
    signature, signed = data[KEY_ID_BYTES:], text.encode()
    if verifier.algorithm == ALGORITHM_COSIGNATURE:
        signature, signed = signature[TIME_BYTES:], _stamped(text, int.from_bytes(signature[:TIME_BYTES], "big"))
    try:
        Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _stamped(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()

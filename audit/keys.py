"""The log's keys on disk: the Ed25519 signing key, its public verifier key, and the key that hides subjects. Private ones are 0600.

The verifier key names the log (its origin) and is what auditors hold; the database's administrators hold none of the private ones.
"""

import fcntl
import hmac
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import KeyProblem
from audit.notes import Verifier, read_verifier

SIGNING_KEY = "audit-signing.pem"
VERIFIER_KEY = "audit-verifier.txt"
SUBJECT_KEY = "audit-subjects.key"
SUBJECT_KEY_BYTES = 32
SUBJECT_HASH_DIGITS = 32
PRIVATE_MODE = 0o600


@dataclass(frozen=True, kw_only=True)
class LogKeys:
    """What the logging process holds."""

    verifier: Verifier
    signing: Ed25519PrivateKey = field(repr=False)
    subjects: bytes = field(repr=False)

    def subject(self, kind: str, value: str) -> str:
        """The keyed hash under which a person (kind `resident`, `id_number`, …) appears in records; equal for equal values."""
        message = f"{kind}\x00{value}".encode()
        return hmac.digest(self.subjects, message, "sha256").hex()[:SUBJECT_HASH_DIGITS]


def load_keys(folder: Path) -> LogKeys:
    """The keys in `folder`; raises KeyProblem if one is missing, open to others, or signing and verifier key do not match."""
    pem = read_private(folder / SIGNING_KEY)
    signing = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(signing, Ed25519PrivateKey):
        raise KeyProblem(f"{SIGNING_KEY} is not an Ed25519 key")
    verifier = load_verifier(folder)
    if verifier.public != signing.public_key().public_bytes_raw():
        raise KeyProblem(f"{VERIFIER_KEY} does not belong to {SIGNING_KEY}: one of them was replaced")
    return LogKeys(verifier=verifier, signing=signing, subjects=read_private(folder / SUBJECT_KEY))


def load_verifier(folder: Path) -> Verifier:
    try:
        return read_verifier((folder / VERIFIER_KEY).read_text(encoding="utf-8"))
    except FileNotFoundError as fault:
        raise KeyProblem(f"{VERIFIER_KEY} is missing from the keys folder") from fault


def create_keys(folder: Path) -> None:
    """Make the keys that are not there yet; safe to repeat and for two processes at once. The verifier key comes last."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / VERIFIER_KEY).exists():
            _create(folder)


def read_private(path: Path) -> bytes:
    """A key file's bytes; raises KeyProblem if it is missing or others may read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyProblem(f"{path.name} is open to others; its mode must be 0600")
        return path.read_bytes()
    except FileNotFoundError as fault:
        raise KeyProblem(f"{path.name} is missing from the keys folder") from fault


def write_private(path: Path, data: bytes) -> None:
    """A new key file of mode 0600, durable and whole or not there."""
    aside = path.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


def _create(folder: Path) -> None:
    signing = Ed25519PrivateKey.generate()
    public = signing.public_key().public_bytes_raw()
    encoding, kind, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_private(folder / SIGNING_KEY, signing.private_bytes(encoding, kind, plain))
    write_private(folder / SUBJECT_KEY, os.urandom(SUBJECT_KEY_BYTES))
    verifier = Verifier(name=f"tongchou-audit-{os.urandom(4).hex()}", public=public)
    write_private(folder / VERIFIER_KEY, f"{verifier}\n".encode())

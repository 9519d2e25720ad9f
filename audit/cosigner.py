"""A witness of the auditors' own (见证人): co-signs a log's heads, and only those that extend the last one it saw.

It runs where the platform's administrators have no rights, with a key of its own and the log's public key; it needs no database. It speaks
C2SP tlog-witness: a request holds the size it saw last, the proof from there, and the new checkpoint; the answer is its signature.
"""

import base64
import binascii
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import KeyProblem, LogError, ProofInvalid
from audit.keys import read_private, write_private
from audit.merkle import EMPTY_ROOT, check_consistency
from audit.notes import ALGORITHM_COSIGNATURE, Checkpoint, Verifier, cosign, open_note, read_checkpoint, read_verifier

PRIVATE_KEY, PUBLIC_KEY, LOG_KEY, SEEN = "witness-signing.key", "witness-verifier.txt", "log-verifier.txt", "checkpoint"
LONGEST_REQUEST_BYTES = 64_000
PATH = "/add-checkpoint"


class OtherSize(LogError):
    """The request does not begin where this witness stands."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the last checkpoint seen has {size} records")
        self.size = size


def create_cosigner(folder: Path, name: str, log: Verifier) -> Verifier:
    """Keys and an empty memory in a new folder; returns what the log's keepers need to know of this witness."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / PRIVATE_KEY).exists():
        raise KeyProblem("this folder holds a witness already")
    private = Ed25519PrivateKey.generate()
    verifier = Verifier(name=name, public=private.public_key().public_bytes_raw(), algorithm=ALGORITHM_COSIGNATURE)
    raw, plain = serialization.Encoding.Raw, serialization.NoEncryption()
    write_private(folder / PRIVATE_KEY, private.private_bytes(raw, serialization.PrivateFormat.Raw, plain))
    (folder / PUBLIC_KEY).write_text(f"{verifier}\n", encoding="utf-8")
    (folder / LOG_KEY).write_text(f"{log}\n", encoding="utf-8")
    return verifier


class Cosigner:
    """One witness's folder. `clock` gives seconds since 1970."""

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        self._folder, self._clock = folder, clock
        self._private = Ed25519PrivateKey.from_private_bytes(read_private(folder / PRIVATE_KEY))
        self.verifier = read_verifier((folder / PUBLIC_KEY).read_text(encoding="utf-8"))
        self._log = read_verifier((folder / LOG_KEY).read_text(encoding="utf-8"))

    def seen(self) -> Checkpoint:
        """The last checkpoint that was co-signed; of no record before the first."""
        path = self._folder / SEEN
        if not path.exists():
            return Checkpoint(origin=self._log.name, size=0, root=EMPTY_ROOT)
        return read_checkpoint(path.read_text(encoding="utf-8"), self._log)

    def add_checkpoint(self, request: str) -> str:
        """The co-signature of a request's checkpoint. Raises OtherSize; ProofInvalid for a log that was changed."""
        old, proof, note = read_request(request)
        new = read_checkpoint(note, self._log)
        with self._locked():
            seen = self.seen()
            if old != seen.size:
                raise OtherSize(seen.size)
            check_consistency(seen.size, new.size, seen.root, new.root, proof)
            self._remember(note)
        return cosign(open_note(note, self._log), self.verifier, self._private, self._clock())

    def _remember(self, note: str) -> None:
        """Before it is signed: who forgets what he signed may sign its contrary."""
        aside = self._folder / f"{SEEN}.tmp"
        with aside.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._folder / SEEN)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def request_text(old: int, proof: list[bytes], note: str) -> str:
    return f"old {old}\n" + "".join(f"{base64.b64encode(node).decode()}\n" for node in proof) + f"\n{note}"


def read_request(request: str) -> tuple[int, list[bytes], str]:
    head, _, note = request.partition("\n\n")
    lines = head.splitlines()
    try:
        old = int(lines[0].removeprefix("old "))
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
    except (IndexError, ValueError, binascii.Error) as fault:
        raise ProofInvalid("this is no request of tlog-witness") from fault
    return old, proof, note


def server(cosigner: Cosigner, host: str, port: int) -> ThreadingHTTPServer:
    """Answers `POST /add-checkpoint`: 200 with the signature, 409 with the size seen last, 422 for what is not consistent."""

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            if self.path != PATH or not 0 < length <= LONGEST_REQUEST_BYTES:
                self._tell(404, "")
                return
            try:
                self._tell(200, cosigner.add_checkpoint(self.rfile.read(length).decode(errors="replace")))
            except OtherSize as other:
                self._tell(409, f"{other.size}\n")
            except LogError as fault:
                self._tell(422, f"{fault}\n")

        def _tell(self, status: int, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("content-type", "text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing on standard error for each request."""

    return ThreadingHTTPServer((host, port), Asked)

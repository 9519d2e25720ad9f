"""Signed notes and checkpoints in the C2SP formats."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import KeyProblem, ProofInvalid
from audit.notes import Checkpoint, Verifier, open_note, read_checkpoint, read_verifier, sign

C2SP_EXAMPLE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
C2SP_EXAMPLE_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VERIFIER = Verifier(name="log", public=PRIVATE.public_key().public_bytes_raw())
HEAD = Checkpoint(origin="log", size=3, root=bytes(32))


def test_the_example_note_of_the_format_is_read() -> None:
    verifier = read_verifier(C2SP_EXAMPLE_KEY)
    assert str(verifier) == C2SP_EXAMPLE_KEY
    assert open_note(C2SP_EXAMPLE_NOTE, verifier).endswith("what your problem is.\n")


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    note = sign(HEAD.text(), VERIFIER, PRIVATE)
    assert note.startswith("log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— log ")
    assert read_checkpoint(note, VERIFIER) == HEAD


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.replace("\n3\n", "\n4\n"),
        lambda note: note.replace("— log", "— other"),
        lambda note: note.replace("— ", "- "),
        lambda note: note.split("— ")[0],
        lambda note: "",
        lambda note: note.replace("log\n3", "gol\n3"),
    ],
)
def test_a_changed_note_opens_for_nobody(spoil: object) -> None:
    with pytest.raises(ProofInvalid):
        read_checkpoint(spoil(sign(HEAD.text(), VERIFIER, PRIVATE)), VERIFIER)  # type: ignore[operator]


def test_a_note_of_another_key_under_the_same_name_opens_not() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    with pytest.raises(ProofInvalid):
        open_note(sign(HEAD.text(), VERIFIER, other), VERIFIER)


def test_a_second_signature_does_no_harm() -> None:
    note = sign(HEAD.text(), VERIFIER, PRIVATE)
    assert read_checkpoint(note + "— witness AAAAAAAA\n", VERIFIER) == HEAD


@pytest.mark.parametrize("text", ["", "a+b", "log+00000000+AQ==", C2SP_EXAMPLE_KEY.replace("Peter", "Paul")])
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(KeyProblem):
        read_verifier(text)

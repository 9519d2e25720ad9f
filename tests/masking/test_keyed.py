"""Masks with a key: hashes by both digests, FF1 against NIST's samples, noise that asking again does not thin. law.md I-01, I-04, I-11."""

import hmac
from datetime import date

import pyarrow as pa
import pytest
from ffx import FF1, DomainError
from hypothesis import given
from hypothesis import strategies as st

from masking.format_preserving import decrypted, encrypted
from masking.keyed_hashes import SHA256, SM3, digest_in_use, is_available, keyed_hashes
from masking.methods import Basis, Mask, apply
from masking.noise import with_noise
from masking.pseudonyms import recipient_key
from rules.identity_numbers import check_character

MASTER = bytes(range(32))
KEY = recipient_key(MASTER, "tax", "1")
AES = (
    "2B7E151628AED2A6ABF7158809CF4F3C",
    "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F",
    "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94",
)
DIGITS, LETTERS = "0123456789", "0123456789abcdefghi"
BACKWARDS, SEVENS = "39383736353433323130", "3737373770717273373737"


@pytest.mark.parametrize(
    ("key", "radix", "tweak", "plain", "cipher"),
    [
        (AES[0], 10, "", DIGITS, "2433477484"),
        (AES[0], 10, BACKWARDS, DIGITS, "6124200773"),
        (AES[0], 36, SEVENS, LETTERS, "a9tv40mll9kdu509eum"),
        (AES[1], 10, "", DIGITS, "2830668132"),
        (AES[1], 10, BACKWARDS, DIGITS, "2496655549"),
        (AES[1], 36, SEVENS, LETTERS, "xbj3kv35jrawxv32ysr"),
        (AES[2], 10, "", DIGITS, "6657667009"),
        (AES[2], 10, BACKWARDS, DIGITS, "1001623463"),
        (AES[2], 36, SEVENS, LETTERS, "xs8a0azh2avyalyzuwd"),
    ],
)
def test_the_library_gives_the_samples_of_nist(key: str, radix: int, tweak: str, plain: str, cipher: str) -> None:
    """SP 800-38G, FF1 samples 1 to 9."""
    ff1 = FF1(bytes.fromhex(key), radix=radix)
    assert ff1.encrypt(plain, tweak=bytes.fromhex(tweak)) == cipher
    assert ff1.decrypt(cipher, tweak=bytes.fromhex(tweak)) == plain


def test_the_library_refuses_a_domain_under_a_million() -> None:
    with pytest.raises(DomainError):
        FF1(bytes(16), radix=10).encrypt("12345")


@given(st.text("0123456789", min_size=17, max_size=17))
def test_a_valid_identity_number_gives_a_check_valid_one_and_comes_back(first17: str) -> None:
    number = first17 + check_character(first17)
    changed = encrypted(number, KEY.number_secret)
    assert changed is not None and len(changed) == 18
    assert changed[17] == check_character(changed[:17])
    assert decrypted(changed, KEY.number_secret) == number


@given(st.text("0123456789", min_size=17, max_size=17), st.sampled_from("0123456789X"))
def test_a_number_with_a_wrong_check_character_does_not_come_out(first17: str, check: str) -> None:
    assert (encrypted(first17 + check, KEY.number_secret) is None) == (check != check_character(first17))


@given(st.text("0123456789-ABEH", max_size=16))
def test_other_numbers_keep_their_form_and_come_back(number: str) -> None:
    changed = encrypted(number, KEY.number_secret)
    if sum(character.isdigit() for character in number) < 6:
        assert changed is None
        return
    assert changed is not None
    assert [c if not c.isdigit() else "0" for c in changed] == [c if not c.isdigit() else "0" for c in number]
    assert decrypted(changed, KEY.number_secret) == number


def test_two_recipients_and_two_epochs_get_different_numbers() -> None:
    keys = [KEY, recipient_key(MASTER, "health", "1"), recipient_key(MASTER, "tax", "2")]
    assert len({encrypted("11010519491231002X", key.number_secret) for key in keys}) == 3


def test_the_keys_for_different_uses_are_unrelated() -> None:
    assert len({KEY.secret, KEY.number_secret, KEY.noise_secret}) == 3


@pytest.mark.parametrize("digest", [SHA256, SM3])
@given(st.lists(st.none() | st.text(), max_size=4), st.binary(min_size=1, max_size=100))
def test_keyed_hashes_are_hmacs(digest: str, texts: list[str | None], secret: bytes) -> None:
    used = digest_in_use(digest)
    expected = [None if text is None else hmac.digest(secret, text.encode(), used) for text in texts]
    assert keyed_hashes(pa.array(texts, pa.string()), secret, used) == expected


def test_where_sm3_is_missing_sha256_is_used() -> None:
    assert digest_in_use(SM3, lambda _: False) == SHA256
    assert digest_in_use(SM3, lambda _: True) == SM3
    assert not is_available("no such digest")


def test_pseudonyms_by_sm3_are_others() -> None:
    by_sm3 = recipient_key(MASTER, "tax", "1", digest_in_use(SM3))
    one, other = (apply(Mask(method="pseudonym"), pa.array(["R1"]), Basis(key=key)).to_pylist() for key in (KEY, by_sm3))
    assert (one != other) == is_available(SM3)


def noisy(value: str, subject: str | None, column: str = "wage", secret: bytes = KEY.noise_secret) -> str | None:
    moved: str | None = with_noise(pa.array([value]), pa.array([subject], pa.string()), column, secret)[0].as_py()
    return moved


@given(st.decimals(-(10**6), 10**6, places=2), st.text("R0123456789", min_size=1))
def test_noise_stays_within_a_tenth_and_one_unit(value: object, subject: str) -> None:
    moved = noisy(str(value), subject)
    assert moved is not None
    assert abs(float(moved) - float(str(value))) <= abs(float(str(value))) * 0.1 + 0.01 + 0.005
    assert moved.partition(".")[2].__len__() == 2


def test_asking_again_gives_the_same_noise_and_another_recipient_another() -> None:
    assert noisy("5000", "R1") == noisy("5000", "R1")
    others = [noisy("5000", "R2"), noisy("5000", "R1", column="rent"), noisy("5000", "R1", secret=bytes(32))]
    assert noisy("5000", "R1") not in others


def test_noise_is_centred() -> None:
    """Over many people the mean stays, so that sums are of use."""
    moved = with_noise(pa.array(["5000"] * 4_000), pa.array([f"R{n}" for n in range(4_000)]), "wage", KEY.noise_secret)
    mean = sum(float(text) for text in moved.to_pylist()) / 4_000
    assert abs(mean - 5_000) < 30
    assert len(set(moved.to_pylist())) > 500


def test_a_positive_number_stays_so_and_a_row_of_nobody_draws_by_its_value() -> None:
    assert all(float(noisy("0", f"R{n}") or -1) >= 0 for n in range(50))
    assert noisy("5000", None) == noisy("5000", None) != "5000"


def test_the_noise_of_a_column_goes_by_its_people() -> None:
    basis = Basis(key=KEY, today=date(2026, 1, 1), column="wage", subjects=pa.array(["R1", "R2"]))
    found = apply(Mask(method="noise"), pa.array(["5000", None], pa.string()), basis).to_pylist()
    assert found == [noisy("5000", "R1"), None]

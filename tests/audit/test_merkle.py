"""The six functions of the tree against the definitions of RFC 6962 written out naively, and against its published vectors."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ProofInvalid
from audit.merkle import (
    EMPTY_ROOT,
    check_consistency,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    range_root_of,
    root_from_inclusion,
    tree_root,
)
from audit.tiles import TILE_WIDTH, extend, leaves_from, range_root_from

VECTOR_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive_root(data: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    n = len(data)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + data[0]).digest()
    k = max(2**i for i in range(20) if 2**i < n)
    return sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def naive_path(m: int, data: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    n = len(data)
    if n == 1:
        return []
    k = max(2**i for i in range(20) if 2**i < n)
    if m < k:
        return [*naive_path(m, data[:k]), naive_root(data[k:])]
    return [*naive_path(m - k, data[k:]), naive_root(data[:k])]


def naive_consistency(m: int, data: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2."""
    n = len(data)
    if m == n:
        return [] if whole else [naive_root(data)]
    k = max(2**i for i in range(20) if 2**i < n)
    if m <= k:
        return [*naive_consistency(m, data[:k], whole), naive_root(data[k:])]
    return [*naive_consistency(m - k, data[k:], False), naive_root(data[:k])]


def entries(n: int) -> list[bytes]:
    return [f"record {i}".encode() for i in range(n)]


def leaves(n: int) -> list[bytes]:
    return [leaf_hash(data) for data in entries(n)]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_the_published_vectors(size: int) -> None:
    data = [bytes.fromhex(text) for text in VECTOR_LEAVES[:size]]
    assert tree_root([leaf_hash(d) for d in data]).hex() == VECTOR_ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree_root([]) == EMPTY_ROOT == sha256(b"").digest()


def test_a_leaf_can_not_pass_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


@given(st.integers(1, 300), st.data())
def test_root_and_proofs_are_those_of_the_naive_definitions(size: int, data: st.DataObject) -> None:
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    hashes, texts = leaves(size), entries(size)
    assert tree_root(hashes) == naive_root(texts)
    assert inclusion_proof(index, size, range_root_of(hashes)) == naive_path(index, texts)
    assert consistency_proof(old, size, range_root_of(hashes)) == naive_consistency(old, texts)


@given(st.integers(1, 300), st.data())
def test_a_proof_leads_to_the_root_and_a_changed_one_does_not(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    proof = inclusion_proof(index, size, range_root_of(hashes))
    assert root_from_inclusion(index, size, hashes[index], proof) == tree_root(hashes)
    assert root_from_inclusion(index, size, leaf_hash(b"another"), proof) != tree_root(hashes)
    for wrong in ([*proof, hashes[0]], proof[:-1]):
        if wrong != proof:
            with pytest.raises(ProofInvalid):
                root_from_inclusion(index, size, hashes[index], wrong)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200))
def test_consistency_holds_for_a_log_that_grew_and_for_no_other(old: int, grown: int, changed: int) -> None:
    new = old + grown
    hashes = leaves(new)
    proof = consistency_proof(old, new, range_root_of(hashes))
    check_consistency(old, new, tree_root(hashes[:old]), tree_root(hashes), proof)
    if old:
        rewritten = [*hashes]
        rewritten[changed % old] = leaf_hash(b"rewritten")
        forged = consistency_proof(old, new, range_root_of(rewritten))
        with pytest.raises(ProofInvalid):
            check_consistency(old, new, tree_root(hashes[:old]), tree_root(rewritten), forged)


def test_a_smaller_tree_extends_none() -> None:
    with pytest.raises(ProofInvalid):
        check_consistency(3, 2, tree_root(leaves(3)), tree_root(leaves(2)), [])


@given(st.lists(st.integers(0, 3 * TILE_WIDTH), min_size=1, max_size=5), st.data())
def test_tiles_grown_in_any_steps_give_the_roots_of_the_whole_list(steps: list[int], data: st.DataObject) -> None:
    hashes, size = leaves(sum(steps)), 0
    tiles: dict[tuple[int, int], bytes] = {}

    def read(level: int, position: int) -> bytes:
        return tiles.get((level, position), b"")

    for step in steps:
        tiles.update(extend(read, size, hashes[size : size + step]))
        size += step
    root = range_root_from(read)
    assert root(0, size) == tree_root(hashes)
    if size:
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
        assert inclusion_proof(index, size, root) == inclusion_proof(index, size, range_root_of(hashes))
        assert consistency_proof(old, size, root) == consistency_proof(old, size, range_root_of(hashes))
        assert leaves_from(read, min(index, old), max(index, old)) == hashes[min(index, old) : max(index, old)]


def test_a_tree_of_more_than_two_tile_levels_keeps_its_proofs() -> None:
    size = TILE_WIDTH * TILE_WIDTH + 300
    hashes = [i.to_bytes(32) for i in range(size)]
    tiles = dict(extend(lambda level, position: b"", 0, hashes))
    root = range_root_from(lambda level, position: tiles[level, position])
    assert (2, 0) in tiles
    for index in (0, 65_535, 65_536, size - 1):
        assert root_from_inclusion(index, size, hashes[index], inclusion_proof(index, size, root)) == tree_root(hashes)

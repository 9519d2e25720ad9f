"""The Merkle tree of RFC 6962: hashes, roots and proofs as small pure functions. No storage, no keys.

Leaves and nodes are hashed in separate domains (a zero byte, a one byte), so that no node can pass for a leaf. `RangeRoot` gives
the root of the leaves [start, end): over a list in memory (`range_root_of`) or over stored tiles (`audit.tiles`).
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from audit.errors import ProofInvalid

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

RangeRoot = Callable[[int, int], bytes]


def leaf_hash(record: bytes) -> bytes:
    return sha256(b"\x00" + record).digest()


def leaf_hashes(records: Iterable[bytes]) -> list[bytes]:
    """The leaf hashes of many records."""
    return [sha256(b"\x00" + record).digest() for record in records]


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (RFC 6962 §2.1), level by level; an odd last node moves up unchanged."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        two = iter(level)  # the hash is written out: a call for each of millions of nodes would double the time
        pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(two, two, strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def split(size: int) -> int:
    """The greatest power of two smaller than `size` (> 1): where a tree of that size divides."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, root: RangeRoot) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1), from the leaf upwards."""
    assert 0 <= index < size
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(root(middle, end))
            end = middle
        else:
            path.append(root(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, root: RangeRoot) -> list[bytes]:
    """That the first `old` leaves of the tree of `new` leaves are the old tree (RFC 6962 §2.1.2)."""
    assert 0 <= old <= new
    start, end, path = 0, new, []
    while 0 < old < end:
        middle = start + split(end - start)
        if old <= middle:
            path.append(root(middle, end))
            end = middle
        else:
            path.append(root(start, middle))
            start = middle
    if start > 0:
        path.append(root(start, end))
    return path[::-1]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a proof leads to (RFC 9162 §2.1.3.2); compare it with the signed one."""
    if not 0 <= index < size:
        raise ProofInvalid(f"index {index} is not in a tree of {size}")
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            node, last = _skip_to_right_child(node, last)
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    return result


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise ProofInvalid unless the proof shows the old tree to be the beginning of the new one (RFC 9162 §2.1.4.2)."""
    if old > new:
        raise ProofInvalid(f"a tree of {new} cannot extend one of {old}")
    if old in (0, new):
        if proof or (old == new and old_root != new_root):
            raise ProofInvalid("two heads of one size differ")
        return
    from_old, from_new = _roots_from_consistency(old, new, old_root, proof)
    if from_old != old_root or from_new != new_root:
        raise ProofInvalid(f"the tree of {new} does not extend the tree of {old}")


def range_root_of(leaves: Sequence[bytes]) -> RangeRoot:
    """A `RangeRoot` over leaf hashes held in memory."""
    return lambda start, end: tree_root(leaves[start:end])


def _skip_to_right_child(node: int, last: int) -> tuple[int, int]:
    while not node & 1 and node:
        node, last = node >> 1, last >> 1
    return node, last


def _roots_from_consistency(old: int, new: int, old_root: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofInvalid("the proof is too short")
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if node & 1 or node == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            node, last = _skip_to_right_child(node, last)
        else:
            from_new = node_hash(from_new, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    return from_old, from_new

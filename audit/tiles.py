"""The tree as it is stored: C2SP tiles of up to 256 hashes each, and the root of any range read from them.

Tile (level, index) holds the hashes of tree level 8·level from 256·index on, one after another. A proof over ten million leaves
reads four tiles a level; extending the tree rewrites only the last, incomplete tile of each level.
"""

from collections.abc import Callable, Mapping, Sequence

from audit.merkle import EMPTY_ROOT, HASH_BYTES, RangeRoot, node_hash, split, tree_root

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
TILE_BYTES = TILE_WIDTH * HASH_BYTES

TileKey = tuple[int, int]
ReadTile = Callable[[int, int], bytes]


def hashes_in(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


def extend(read: ReadTile, size: int, leaves: Sequence[bytes]) -> Mapping[TileKey, bytes]:
    """The tiles that are new or longer once `leaves` follow a tree of `size`; each full tile's root joins the level above."""
    changed: dict[TileKey, bytes] = {}
    level, have, new = 0, size, list(leaves)
    while new:
        index, offset = divmod(have, TILE_WIDTH)
        begun = read(level, index)[: offset * HASH_BYTES] if offset else b""
        joined = begun + b"".join(new)
        tiles = [joined[i : i + TILE_BYTES] for i in range(0, len(joined), TILE_BYTES)]
        changed |= {(level, index + i): tile for i, tile in enumerate(tiles)}
        new = [tree_root(hashes_in(tile)) for tile in tiles if len(tile) == TILE_BYTES]
        level, have = level + 1, have >> TILE_HEIGHT
    return changed


def leaves_from(read: ReadTile, start: int, end: int) -> list[bytes]:
    """The hashes of leaves [start, end), tile by tile."""
    found: list[bytes] = []
    while start < end:
        index, offset = divmod(start, TILE_WIDTH)
        part = min(TILE_WIDTH - offset, end - start)
        found += hashes_in(read(0, index)[offset * HASH_BYTES : (offset + part) * HASH_BYTES])
        start += part
    return found


def range_root_from(read: ReadTile) -> RangeRoot:
    """A `RangeRoot` over stored tiles. Ranges are those of RFC 6962 proofs: all but the last part of each is a perfect subtree."""

    def root(start: int, end: int) -> bytes:
        size = end - start
        if size == 0:
            return EMPTY_ROOT
        if size & (size - 1) == 0:
            return _perfect(read, start, size)
        middle = start + split(size)
        return node_hash(root(start, middle), root(middle, end))

    return root


def _perfect(read: ReadTile, start: int, size: int) -> bytes:
    level, height = divmod(size.bit_length() - 1, TILE_HEIGHT)
    index, offset = divmod(start >> (level * TILE_HEIGHT), TILE_WIDTH)
    tile = read(level, index)
    part = tile[offset * HASH_BYTES : (offset + (1 << height)) * HASH_BYTES]
    return tree_root(hashes_in(part))

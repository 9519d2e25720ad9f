"""审计日志离线校验 Verify an exported audit log, or the proof of one record, with nothing but Python's standard library.

    python -I verify_log.py LOG --key KEY [--older CHECKPOINT ...] [--witness KEY ...] [--populations FOLDER] [--json]
    python -I verify_log.py --proof FILE --key KEY [--witness KEY ...] [--json]

LOG is a folder in the layout of C2SP tlog-tiles: `checkpoint`, `tile/…`, `tile/entries/…`. KEY is the log's verifier key. CHECKPOINT is
what an auditor kept from an earlier visit: a checkpoint file, an older export, or a witness's folder; the last two also hold the hashes
of the leaves, so that the first falsified record is named exactly. FOLDER holds the bitmaps of residents that records name by digest.

Exit code 0: whole. 5: falsified, the first bad index named. 2: the question cannot be read.
"""

import argparse
import base64
import binascii
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256, sha512
from pathlib import Path
from typing import NamedTuple

HASH_BYTES = 32
TILE_WIDTH = 256
TILE_BYTES = TILE_WIDTH * HASH_BYTES
LENGTH_BYTES = 2
NOTE_END = "\x1e\n"
SIGNATURE_MARK = "— "
ED25519, COSIGNATURE = 1, 4
PROOF_HEAD = "c2sp.org/tlog-proof@v1"
DIGEST = re.compile(rb'"(?:population|groups)":"([0-9a-f]{64})"')
DESTROYED = b'"event":"audit:log:destroyed"'
WHOLE, UNREADABLE, FALSIFIED = 0, 2, 5

Leaves = list[bytes]
Finding = tuple[int, str]
"""The lowest index that something puts in doubt, and what."""


class Key(NamedTuple):
    name: str
    kind: int
    id: bytes
    public: bytes


class Head(NamedTuple):
    """A checkpoint and who kept it."""

    size: int
    root: bytes
    note: str
    holder: str


class Verdict(NamedTuple):
    """Whether the log is what was signed. Records [first, end) were there to be checked one by one, the others by their hashes."""

    ok: bool
    size: int
    first: int
    end: int
    first_bad: int | None
    reason: str


class Group(NamedTuple):
    """A tile: its hashes, and those of its records (None where none are promised)."""

    start: int
    stored: Leaves
    own: Leaves | None
    records: Sequence[bytes]


class Broken(Exception):
    """What was read is not what was signed; `index` is the first record in doubt."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index, self.reason = index, reason


# Ed25519 (RFC 8032 §5.1), verification only: nothing here is secret, so nothing needs constant time.
Point = tuple[int, int, int, int]
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
NEUTRAL: Point = (0, 1, 1, 0)


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(s, BASE), added(r, times(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def added(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, p: Point) -> Point:
    q = NEUTRAL
    while scalar:
        if scalar & 1:
            q = added(q, p)
        p, scalar = added(p, p), scalar >> 1
    return q


def point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for; None if they stand for none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL


# Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).


def read_key(path: str | Path) -> Key:
    try:
        name, key_id, encoded = Path(path).read_text("utf-8").strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (OSError, ValueError) as fault:
        raise SystemExit(unreadable("不是校验公钥 not a verifier key: %s" % path)) from fault
    if data[0] not in (ED25519, COSIGNATURE) or sha256(name.encode() + b"\n" + data).hexdigest()[:8] != key_id:
        raise SystemExit(unreadable("公钥与其编号不符 the key's id does not belong to it: %s" % path))
    return Key(name, data[0], bytes.fromhex(key_id), data[1:])


def signs(key: Key, note: str) -> bool:
    """Whether a line of this key signs the note."""
    text, _, lines = note.rpartition("\n\n")
    return any(_line_signs(key, line, (text + "\n").encode()) for line in lines.splitlines())


def _line_signs(key: Key, line: str, text: bytes) -> bool:
    name, _, encoded = line[len(SIGNATURE_MARK) :].partition(" ")
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    if not line.startswith(SIGNATURE_MARK) or name != key.name or data[:4] != key.id:
        return False
    if key.kind == ED25519:
        return signature_holds(key.public, text, data[4:])
    stamped = b"cosignature/v1\ntime %d\n" % int.from_bytes(data[4:12], "big")
    return signature_holds(key.public, stamped + text, data[12:])


def read_head(note: str, holder: str) -> Head:
    lines = note.splitlines()
    try:
        head = Head(int(lines[1]), base64.b64decode(lines[2], validate=True), note, holder)
    except (IndexError, ValueError) as fault:
        raise Broken(0, "%s: 不是检查点 not a checkpoint" % holder) from fault
    return head


# The tree (RFC 6962).


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def tree_root(nodes: Leaves) -> bytes:
    if not nodes:
        return sha256(b"").digest()
    while len(nodes) > 1:
        pairs = iter(nodes)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        nodes = level + nodes[len(level) * 2 :]
    return nodes[0]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes:
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Broken(index, "证明过长 the proof is too long")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise Broken(index, "证明过短 the proof is too short")
    return root


class Tree:
    """The tree over leaves given a tile at a time; gives the root of any of its beginnings. Keeps tile roots, and the leaves asked for."""

    def __init__(self, wanted_sizes: Iterable[int]) -> None:
        self._wanted = {size // TILE_WIDTH for size in wanted_sizes}
        self._parts: dict[int, Leaves] = {}
        self._heights: list[Leaves] = []
        self.tile_roots: Leaves = []
        self.size = 0

    def grow(self, leaves: Leaves) -> None:
        if len(self.tile_roots) in self._wanted:
            self._parts[len(self.tile_roots)] = leaves
        self.size += len(leaves)
        if len(leaves) == TILE_WIDTH:
            self.tile_roots.append(tree_root(leaves))

    def finish(self) -> None:
        """Perfect subtrees over the tiles, height by height."""
        self._heights = [self.tile_roots]
        while len(self._heights[-1]) > 1:
            below = self._heights[-1]
            self._heights.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])

    def root(self, size: int) -> bytes:
        peaks: Leaves = []
        tiles, start = size // TILE_WIDTH, 0
        for height in reversed(range(tiles.bit_length())):
            if tiles >> height & 1:
                peaks.append(self._heights[height][start >> height])
                start += 1 << height
        if size % TILE_WIDTH:
            peaks.append(tree_root(self._parts[tiles][: size % TILE_WIDTH]))
        root = peaks.pop() if peaks else sha256(b"").digest()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root


# The exported log (C2SP tlog-tiles).


def tile_path(folder: Path, level: int | str, index: int, width: int = TILE_WIDTH) -> Path:
    groups = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        groups.insert(0, "x%03d" % (index % 1000))
    name = "/".join(groups) + ("" if width == TILE_WIDTH else ".p/%d" % width)
    return folder / "tile" / str(level) / name


def read_tile(folder: Path, level: int, index: int, width: int) -> Leaves:
    """The hashes of a tile, as many as are there: a longer version of an unfinished tile serves as well."""
    for path in (tile_path(folder, level, index, width), tile_path(folder, level, index)):
        if path.is_file():
            data = path.read_bytes()[: width * HASH_BYTES]
            return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]
    return []


def read_entries(folder: Path, index: int, width: int) -> list[bytes] | None:
    """The records of a bundle; None if it was not exported."""
    for path in (tile_path(folder, "entries", index, width), tile_path(folder, "entries", index)):
        if path.is_file():
            return split_entries(path.read_bytes())
    return None


def split_entries(data: bytes) -> list[bytes]:
    records, at, end = [], 0, len(data)
    while at + LENGTH_BYTES <= end:
        begin = at + LENGTH_BYTES
        at = begin + (data[at] << 8 | data[at + 1])
        records.append(data[begin:at])
    return records


def widths(size: int) -> Iterator[tuple[int, int]]:
    """(index, width) of each tile of a level that has `size` hashes."""
    full, rest = divmod(size, TILE_WIDTH)
    yield from ((index, TILE_WIDTH) for index in range(full))
    if rest:
        yield full, rest


class Older:
    """What was kept from an earlier visit: heads, and the leaf hashes if they were kept too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        files = [path] if path.is_file() else [path / "checkpoints.txt", path / "checkpoint"]
        found = [file for file in files if file.is_file()]
        if not found:
            raise SystemExit(unreadable("没有检查点 no checkpoint: %s" % path))
        notes = [note for file in found for note in file.read_text("utf-8").split(NOTE_END) if note.strip()]
        self.heads = sorted((read_head(note, str(path)) for note in notes), key=lambda head: head.size)

    def leaves(self) -> Leaves:
        """All that were kept, from the first."""
        kept = self._path / "leaves.bin"
        if kept.is_file():
            data = kept.read_bytes()
            return [data[i : i + HASH_BYTES] for i in range(0, len(data) - HASH_BYTES + 1, HASH_BYTES)]
        if self._path.is_dir() and self.heads:
            return [leaf for index, width in widths(self.heads[-1].size) for leaf in read_tile(self._path, 0, index, width)]
        return []


class Export:
    """An exported log: its head, which records it promises, its tiles and bundles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.head = read_head((self.folder / "checkpoint").read_text("utf-8"), "checkpoint")
        except OSError as fault:
            raise SystemExit(unreadable("没有检查点 no checkpoint in %s" % folder)) from fault
        promised = self.folder / "export.json"
        said = json.loads(promised.read_text("utf-8")) if promised.is_file() else {}
        self.first, self.end = int(said.get("first", 0)), int(said.get("end", self.head.size))
        self.destroyed = int(said.get("destroyed", 0))

    def groups(self) -> Iterator[Group]:
        for index, width in widths(self.head.size):
            start = index * TILE_WIDTH
            records = read_entries(self.folder, index, width)
            if records is None and start < self.end and start + width > self.first:
                records = []
            own = None if records is None else [sha256(b"\x00" + record).digest() for record in records]
            yield Group(start, read_tile(self.folder, 0, index, width), own, records or ())


def check_log(
    folder: Path, key: Key, olders: Sequence[Path] = (), witnesses: Sequence[Key] = (), populations: Path | None = None
) -> Verdict:
    """The verdict on an exported log."""
    export = Export(folder)
    try:
        return _checked(export, key, [Older(path) for path in olders], witnesses, populations)
    except Broken as broken:
        return Verdict(False, export.head.size, export.first, export.end, broken.index, broken.reason)


def _checked(export: Export, key: Key, olders: Sequence[Older], witnesses: Sequence[Key], populations: Path | None) -> Verdict:
    check_signed(export.head, key, witnesses)
    heads = sorted([head for older in olders for head in older.heads] + [export.head], key=lambda head: head.size)
    for older in olders:
        if older.heads and not signs(key, older.heads[-1].note):
            raise Broken(
                0, "%s: 旧检查点不是本日志密钥所签 the older checkpoint is not signed by the key of this log" % older.heads[-1].holder
            )
    tree, findings, gaps = walk(export, heads, populations)
    findings += compare_heads(tree, [head for head in heads if head.size <= export.head.size], key)
    if heads[-1].size > export.head.size:
        reason = (
            "曾签发 %d 条的检查点：末尾被删或恢复了旧库 a checkpoint of %d had been signed: the end was cut off, or an older log restored"
        )
        findings.append((export.head.size, reason % (heads[-1].size, heads[-1].size)))
    if findings or gaps:
        exact = [first_falsified(export, olders) or min(findings)] if findings else []
        raise Broken(*min(exact + gaps))
    return Verdict(True, export.head.size, export.first, export.end, None, "")


def check_signed(head: Head, key: Key, witnesses: Sequence[Key]) -> None:
    if not head.note.startswith(key.name + "\n") or not signs(key, head.note):
        raise Broken(
            0, "检查点不是本日志密钥所签：密钥或日志被换 the checkpoint is not signed by the key of this log: key or log was replaced"
        )
    for witness in witnesses:
        if not signs(witness, head.note):
            raise Broken(0, "见证人 %s 没有会签此检查点 the witness has not co-signed this checkpoint" % witness.name)


def tells_of_destruction(records: Sequence[bytes], end: int) -> bool:
    said = b'"end":%d,' % end
    return any(DESTROYED in record and said in record for record in records)


def walk(export: Export, heads: Sequence[Head], populations: Path | None) -> tuple[Tree, list[Finding], list[Finding]]:
    """Read every record and tile once: the tree over them, where a record is not what its tile says, and what populations are missing."""
    tree = Tree(head.size for head in heads)
    findings: list[Finding] = []
    gaps: list[Finding] = []
    told = export.destroyed == 0 or export.first > export.destroyed or export.end < export.head.size
    for start, stored, own, records in export.groups():
        width = min(TILE_WIDTH, export.head.size - start)
        if own is not None and own != stored:
            findings.append(first_difference(start, own, stored, width))
        told = told or tells_of_destruction(records, export.destroyed)
        if populations is not None:
            gaps += missing_populations(start, records, populations)
        leaves = stored if own is None or len(own) != width else own
        if len(leaves) != width:
            findings.append((start + len(leaves), "叶子哈希缺失 leaf hashes are missing"))
            break
        tree.grow(leaves)
    if not told:
        gaps.append((0, "没有记录说明这些记录已依规销毁 no record tells that the records before %d were destroyed" % export.destroyed))
    tree.finish()
    findings += compare_upper_tiles(export, tree) if not findings else []
    return tree, findings, gaps


def first_difference(start: int, own: Leaves, stored: Leaves, width: int) -> Finding:
    for offset in range(min(len(own), len(stored))):
        if own[offset] != stored[offset]:
            return start + offset, "记录与签入的不同 the record is not the one that was sealed"
    if len(own) < width:
        return start + len(own), "记录缺失 a record is missing"
    if len(own) > width:
        return start + width, "多出记录 a record was added"
    return start + len(stored), "叶子哈希缺失 leaf hashes are missing"


def missing_populations(start: int, records: Sequence[bytes], folder: Path) -> Iterator[Finding]:
    for offset, record in enumerate(records):
        for digest in DIGEST.findall(record):
            name = digest.decode()
            files = list((folder / name[:2]).glob(name + ".*"))
            if not files:
                yield start + offset, "记录所指居民集缺失 the residents that the record names are missing: %s" % name
            elif sha256(files[0].read_bytes()).hexdigest() != name:
                yield start + offset, "记录所指居民集被改 the residents that the record names were changed: %s" % name


def compare_upper_tiles(export: Export, tree: Tree) -> list[Finding]:
    """Each tile above holds the roots of the full tiles below."""
    level, nodes = 1, tree.tile_roots
    while nodes:
        above: Leaves = []
        for index, width in widths(len(nodes)):
            mine = nodes[index * TILE_WIDTH : index * TILE_WIDTH + width]
            if read_tile(export.folder, level, index, width) != mine:
                return [(index * TILE_WIDTH ** (level + 1), "上层哈希被改 the tree above these records was changed")]
            above += [tree_root(mine)] if width == TILE_WIDTH else []
        level, nodes = level + 1, above
    return []


def compare_heads(tree: Tree, heads: Sequence[Head], key: Key) -> list[Finding]:
    good = 0  # of two heads of one size that which was kept elsewhere comes first
    for head in heads:
        if head.size > tree.size:
            return [(tree.size, "%s: 检查点之后缺记录 records are missing before this checkpoint" % head.holder)]
        if tree.root(head.size) != head.root:
            by_key = "" if signs(key, head.note) else "；且非本日志密钥所签 and not signed by the key of this log"
            reason = "第 %d–%d 条与 %s 的检查点不符 these records are not those of that checkpoint%s"
            return [(good, reason % (good, head.size - 1, head.holder, by_key))]
        good = head.size
    return []


def first_falsified(export: Export, olders: Sequence[Older]) -> Finding | None:
    """Exactly the first record that differs from what was sealed, where leaf hashes were kept that a head kept elsewhere proves."""
    trusted = [head for older in olders for head in older.heads] or [export.head]
    kept = [older.leaves() for older in olders] + [[leaf for group in export.groups() for leaf in group.stored]]
    proven = max((leaves[: proven_by(leaves, trusted)] for leaves in kept), key=len)
    for start, stored, own, _ in export.groups():
        for index, leaf in enumerate(own if own is not None else stored, start):
            if index >= len(proven):
                return None
            if proven[index] != leaf:
                return index, "记录与签入的不同 the record is not the one that was sealed"
        if own is not None and len(own) < min(TILE_WIDTH, len(proven) - start):
            return start + len(own), "记录缺失 a record is missing"
    if len(proven) > export.head.size:
        return export.head.size, "末尾被删或恢复了旧库 the end was cut off, or an older log restored: %d had been sealed" % len(proven)
    return None


def proven_by(leaves: Leaves, heads: Sequence[Head]) -> int:
    """How many of these leaves a head proves."""
    tree = Tree(head.size for head in heads)
    for start in range(0, len(leaves), TILE_WIDTH):
        tree.grow(leaves[start : start + TILE_WIDTH])
    tree.finish()
    return max((head.size for head in heads if head.size <= len(leaves) and tree.root(head.size) == head.root), default=0)


def check_proof(text: str, key: Key, witnesses: Sequence[Key] = ()) -> tuple[int, bytes]:
    """(index, record) of a proof file (C2SP tlog-proof, the record in its `extra` line); Broken if it proves nothing."""
    proof, _, note = text.partition("\n\n")
    lines = proof.splitlines()
    try:
        assert lines[0] == PROOF_HEAD
        record = base64.b64decode(lines[1].split("extra ")[1], validate=True)
        index = int(lines[2].split("index ")[1])
        path = [base64.b64decode(line, validate=True) for line in lines[3:]]
    except (AssertionError, IndexError, ValueError) as fault:
        raise SystemExit(unreadable("不是证明文件 this is no proof file")) from fault
    head = read_head(note, "proof")
    check_signed(head, key, witnesses)
    if not 0 <= index < head.size:
        raise Broken(index, "证明的序号不在日志中 the index is not in the log")
    if root_from_inclusion(index, head.size, sha256(b"\x00" + record).digest(), path) != head.root:
        raise Broken(index, "记录不在签名的日志中 the record is not in the signed log")
    return index, record


def unreadable(message: str) -> int:
    print(message, file=sys.stderr)
    return UNREADABLE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", nargs="?", type=Path, help="exported log 导出的日志")
    parser.add_argument("--key", required=True, help="the log's verifier key 日志公钥")
    parser.add_argument("--older", action="append", type=Path, default=[], help="an older checkpoint 旧检查点")
    parser.add_argument("--witness", action="append", default=[], help="key of a witness that must have co-signed 见证人公钥")
    parser.add_argument("--populations", type=Path, help="folder of the residents of bulk answers 居民集目录")
    parser.add_argument("--proof", type=Path, help="proof of one record 单条证明")
    parser.add_argument("--json", action="store_true", help="for machines 机器可读")
    asked = parser.parse_args()
    if bool(asked.log) == bool(asked.proof):
        parser.error("either LOG or --proof")
    key, witnesses = read_key(asked.key), [read_key(path) for path in asked.witness]
    raise SystemExit(tell_proof(asked, key, witnesses) if asked.proof else tell_log(asked, key, witnesses))


def tell_log(asked: argparse.Namespace, key: Key, witnesses: Sequence[Key]) -> int:
    verdict = check_log(asked.log, key, asked.older, witnesses, asked.populations)
    if asked.json:
        print(json.dumps(verdict._asdict(), ensure_ascii=False))
    elif verdict.ok:
        print(
            "日志完整 The log is whole: %d 条记录 records, 逐条核对 records checked [%d, %d)" % (verdict.size, verdict.first, verdict.end)
        )
    else:
        print("日志被改 The log is not what was signed. 首个可疑序号 first bad index %s: %s" % (verdict.first_bad, verdict.reason))
    return WHOLE if verdict.ok else FALSIFIED


def tell_proof(asked: argparse.Namespace, key: Key, witnesses: Sequence[Key]) -> int:
    try:
        index, record = check_proof(asked.proof.read_text("utf-8"), key, witnesses)
    except Broken as broken:
        told = {"ok": False, "first_bad": broken.index, "reason": broken.reason}
        print(json.dumps(told, ensure_ascii=False) if asked.json else "证明不成立 The proof does not hold: %s" % broken.reason)
        return FALSIFIED
    told = {"ok": True, "index": index, "record": json.loads(record)}
    print(json.dumps(told, ensure_ascii=False) if asked.json else "证明成立 The proof holds: 序号 index %d\n%s" % (index, record.decode()))
    return WHOLE


if __name__ == "__main__":
    main()

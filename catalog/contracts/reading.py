"""From a file to a document: the text of a contract, its YAML, and what can be wrong before a single rule is looked at."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from catalog.contracts.findings import Findings

CONTRACT_BYTES_MAX = 4 * 1024 * 1024
NODES_MAX = 200_000
DEPTH_MAX = 60
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class ContractText:
    """A contract as it was read: word for word, and as a document of mappings, lists and plain values."""

    text: str
    document: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """The same for two texts that say the same, whatever their comments, order of keys and spacing."""
        canonical = json.dumps(self.document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def contract_files(paths: list[Path]) -> list[Path]:
    """The contract files that paths (files or folders) name: each once, in the order of their names."""
    found = [file for path in paths for file in (_within(path) if path.is_dir() else [path])]
    return sorted({file.absolute(): file for file in found}.values())


def read_contract(file: Path, findings: Findings) -> ContractText | None:
    """The contract in a file; None, with the reason among the findings, where there is none that could be looked at."""
    text = _text(file, findings)
    if text is None:
        return None
    documents = _documents(text, findings)
    if documents is None:
        return None
    if len(documents) != 1 or not isinstance(documents[0], dict):
        findings.fault("CON-DOCUMENT", "", f"文档数 documents = {len(documents)}")
        return None
    if not text.endswith("\n"):
        findings.warn("CON-CUT", f"line {text.count(chr(10)) + 1}")
    return ContractText(text=text, document=documents[0])


def _within(folder: Path) -> list[Path]:
    return [f for f in folder.rglob("*") if f.suffix in SUFFIXES and f.is_file() and not f.name.startswith(".")]


def _text(file: Path, findings: Findings) -> str | None:
    try:
        content = file.read_bytes()
    except OSError as fault:
        findings.fault("CON-READ", "", fault.strerror or "")
        return None
    if len(content) > CONTRACT_BYTES_MAX:
        findings.fault("CON-SIZE", "", f"{len(content)} > {CONTRACT_BYTES_MAX} bytes")
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        findings.fault("CON-ENCODING", "", f"第 {fault.start} 字节 byte {fault.start}")
        return None


def _documents(text: str, findings: Findings) -> list[Any] | None:
    try:
        documents = list(yaml.load_all(text, _ContractLoader))
    except yaml.MarkedYAMLError as fault:
        findings.fault("CON-YAML", _line(fault.problem_mark), fault.problem or "")
        return None
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        findings.fault("CON-YAML", "", type(fault).__name__)
        return None
    if not _is_bounded(documents):
        findings.fault("CON-SIZE", "", f"展开后超过 {NODES_MAX} 个节点 nodes after expansion")
        return None
    return documents


def _line(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f"line {mark.line + 1}"


def _is_bounded(documents: list[Any]) -> bool:
    """Whether the documents, aliases expanded, are of a size that can be walked: a short text can expand without end."""
    waiting, nodes = [(documents, 0)], 0
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if nodes > NODES_MAX or depth > DEPTH_MAX:
            return False
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        waiting.extend((child, depth + 1) for child in children)
    return True


class _ContractLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML without its surprises: a key twice in one mapping is a fault (the last would win in silence), a date stays the text it is."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(None, None, f"重复的键 duplicate key {str(key.value)[:40]!r}", key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "键不是文字 a key is not text", key.start_mark)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return {str(key): value for key, value in mapping.items()}


_ContractLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _ContractLoader.yaml_implicit_resolvers.items()
}

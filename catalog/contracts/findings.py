"""What is found wrong in contracts: faults, which refuse, and warnings, which tell what was filled in or left aside."""

from dataclasses import dataclass, field

from rules.errors import load_error_texts


@dataclass(frozen=True, kw_only=True)
class ContractFault:
    """Something in a contract: which file, where in the document (`/schema/0/properties/3/name`), what, under a stable CON- code."""

    file: str
    pointer: str
    code: str
    reason_zh: str
    reason_en: str
    next_zh: str
    next_en: str

    def __str__(self) -> str:
        return f"{self.code} {self.file} {self.pointer}: {self.reason_zh} {self.reason_en}"


class ContractWarning(ContractFault):
    """A fault that does not refuse the contract."""


@dataclass(kw_only=True)
class Findings:
    """Collects what is found in one file."""

    file: str
    faults: list[ContractFault] = field(default_factory=list)
    warnings: list[ContractWarning] = field(default_factory=list)

    def fault(self, code: str, pointer: str, detail: str = "") -> None:
        """`detail` names keys, columns and what was expected; never a secret."""
        self.faults.append(ContractFault(**_texts(self.file, pointer, code, detail)))

    def warn(self, code: str, pointer: str, detail: str = "") -> None:
        self.warnings.append(ContractWarning(**_texts(self.file, pointer, code, detail)))


def _texts(file: str, pointer: str, code: str, detail: str) -> dict[str, str]:
    text = load_error_texts()[code]
    return {
        "file": file,
        "pointer": pointer,
        "code": code,
        "reason_zh": f"{text.zh}：{detail}" if detail else text.zh,
        "reason_en": f"{text.en}: {detail}" if detail else text.en,
        "next_zh": text.next_zh,
        "next_en": text.next_en,
    }

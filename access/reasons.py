"""Reasons (理由) that people give and records hold: said, not too long, and without a person's number."""

from audit.records import names_a_person

MAX_REASON_CHARACTERS = 500


def reason_faults(text: str, *, needed: bool = True, missing: str = "未说明理由 no reason") -> list[str]:
    """What is wrong with a text that goes into a record, all of it at once. missing: what is said where it is needed and not there."""
    checks = {
        missing: needed and not text.strip(),
        f"超过 {MAX_REASON_CHARACTERS} 字 too long": len(text) > MAX_REASON_CHARACTERS,
        "含有证件号或手机号 names a person's number": names_a_person(text),
    }
    return [fault for fault, wrong in checks.items() if wrong]

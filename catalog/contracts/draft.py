"""From a document to a data set: the bureau's own rules about contracts, after the standard's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.contracts.columns import read_columns
from catalog.contracts.findings import Findings
from catalog.contracts.parts import Custom, read_custom, similar, text
from catalog.contracts.reading import ContractText, read_contract
from catalog.contracts.server import read_server
from catalog.contracts.standard import check_standard
from catalog.datasets import Column, Dataset, Server
from catalog.terms import CONTRACT, DEFAULT_SHARE_CONDITIONS, FORMAT_TYPES, terms_of
from rules.departments import load_departments, resolve_department
from rules.elements import load_elements

ID = re.compile(r"[a-z][a-z0-9_]{0,119}")
ID_LENGTH_MAX = 120
RESERVED_IDS = frozenset({"golden", "serving"})
"""Names that grants and locks use for what is no data set."""
_OWN_FIELDS = frozenset({"share", "updateFrequency", "verified", "sourceOfRecord"})


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a contract file came to. `id` is known even of many faulty contracts; `dataset` (contract_version 0) only of good ones."""

    file: Path
    findings: Findings
    id: str
    source: ContractText | None = None
    dataset: Dataset | None = None


def draft(file: Path) -> Draft:
    """Read one contract and find everything that is wrong with it at once."""
    findings = Findings(file=str(file))
    source = read_contract(file, findings)
    if source is None:
        return Draft(file=file, findings=findings, id="")
    check_standard(source.document, findings)
    dataset = _dataset(source.document, file.absolute().parent, findings)
    return Draft(file=file, findings=findings, id=text(source.document.get("id")), source=source, dataset=dataset)


def _dataset(document: Mapping[str, Any], base: Path, findings: Findings) -> Dataset | None:
    custom = read_custom(document, CONTRACT, "", findings)
    _fill(custom, findings)
    key, department = _id(document, findings), _department(document, findings)
    server = read_server(document, base, findings)
    columns = read_columns(document, share=custom.get("share"), legal_basis=custom.get("legalBasis"), findings=findings)
    _check_terms(custom, columns, findings)
    title = _title(document, key, findings)
    if findings.faults or server is None:
        return None
    return _built(key, title, department, server, columns, custom.values)


def _built(key: str, title: str, department: str, server: Server, columns: tuple[Column, ...], terms: Mapping[str, Any]) -> Dataset:
    carried = {column.element for column in columns if column.element}
    return Dataset(
        key=key,
        title=title,
        department=department,
        department_title=_department_title(department, terms),
        authority=resolve_department(department, _department_title(department, terms)),
        server=server,
        columns=columns,
        verified=terms["verified"],
        source_of_record=frozenset(terms.get("sourceOfRecord", ())) & carried,
        update_frequency=terms["updateFrequency"],
        share=terms["share"],
        about_persons=_about_persons(carried),
        contract_version=0,
        items={name: value for name, value in terms.items() if name not in _OWN_FIELDS},
    )


def _fill(custom: Custom, findings: Findings) -> None:
    """What is optional and missing, from the platform's defaults; those that change what others may do are told."""
    for term in terms_of(CONTRACT).values():
        if not custom.get(term.key) and term.default is not None:
            custom.values.setdefault(term.key, term.default)
            if term.warns and not custom.declares(term.key):
                findings.warn("CON-DEFAULT", custom.place(term.key), f"{term.key} {term.title} = {term.default}")
    if custom.get("share") == "conditional" and not custom.get("shareConditions"):
        custom.values["shareConditions"] = DEFAULT_SHARE_CONDITIONS
        findings.warn("CON-DEFAULT", custom.place("shareConditions"), f"shareConditions 共享条件 = {DEFAULT_SHARE_CONDITIONS}")


def _id(document: Mapping[str, Any], findings: Findings) -> str:
    given = document.get("id")
    if isinstance(given, str) and not ID.fullmatch(given):
        findings.fault("CON-ID", "/id", given[:60])
    elif given in RESERVED_IDS:
        findings.fault("CON-ID-RESERVED", "/id", str(given))
    return text(given)


def _department(document: Mapping[str, Any], findings: Findings) -> str:
    domain = text(document.get("domain"))
    if domain and len(domain) <= ID_LENGTH_MAX and domain.isprintable():
        return _known_department(domain) or domain
    if isinstance(document.get("domain"), str | None):  # of any other type: the standard's schema says so
        findings.fault("CON-DOMAIN", "/domain", domain[:60])
    return ""


def _known_department(domain: str) -> str | None:
    """The department of `rules/departments.yaml` that goes by exactly this name. Parts of names do not count: a police station is a
    department of its own."""
    known = load_departments().get(resolve_department(domain))
    names = {name.casefold() for name in (known.key, known.title, *known.aliases)} if known else set()
    return known.key if known and domain.casefold() in names else None


def _department_title(department: str, terms: Mapping[str, Any]) -> str:
    known = load_departments().get(department)
    return known.title if known else terms.get("departmentTitle", department)


def _title(document: Mapping[str, Any], key: str, findings: Findings) -> str:
    if title := text(document.get("name")):
        return title
    findings.warn("CON-DEFAULT", "/name", f"name = {key}")
    return key


def _check_terms(custom: Custom, columns: Sequence[Column], findings: Findings) -> None:
    if custom.get("share") == "none" and not custom.get("legalBasis"):
        findings.fault("CON-LEGAL-BASIS", custom.place("legalBasis"), "share = none")
    if custom.get("secret"):
        findings.fault("CON-STATE-SECRET", custom.place("secret"), "secret = true")
    if custom.get("open") and not custom.get("openConditions"):
        findings.warn("CON-OPEN-CONDITIONS", custom.place("openConditions"))
    _check_source_of_record(custom, columns, findings)
    _check_format(custom, findings)


def _check_source_of_record(custom: Custom, columns: Sequence[Column], findings: Findings) -> None:
    carried, where = {column.element for column in columns}, custom.place("sourceOfRecord")
    for position, element in enumerate(custom.get("sourceOfRecord") or ()):
        if element not in load_elements():
            findings.fault("CON-ELEMENT", f"{where}/{position}", f"{element[:60]}{similar(element, load_elements())}")
        elif element not in carried:
            findings.warn("CON-SOURCE-OF-RECORD", f"{where}/{position}", element)


def _check_format(custom: Custom, findings: Findings) -> None:
    """C-15: the type of a format belongs to its class."""
    known, given = FORMAT_TYPES.get(custom.get("formatClass") or "", ()), custom.get("formatType")
    if known and given and given.lower() not in {name.lower() for name in known}:
        findings.warn("CON-FORMAT-TYPE", custom.place("formatType"), f"{given[:40]}; {' | '.join(known)}")


def _about_persons(elements: set[str]) -> bool:
    """contract.md: every data set with a `name` or an identity element takes part in reconciliation."""
    return "name" in elements or any(load_elements()[element].identifies_person for element in elements)

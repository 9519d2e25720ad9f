"""Each way in which a contract can be wrong: its code and its place in the document."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.contracts.draft import draft
from catalog.contracts.findings import ContractFault
from rules.errors import load_error_texts
from tests.catalog.contracts import Document, changed, column, columns_of, custom, good_contract, write

LOCAL = {"server": "main", "type": "local", "path": "a.csv", "format": "csv"}


def database(**terms: object) -> list[Document]:
    return [{"server": "db", "type": "custom", "customProperties": custom(**terms)}]


def postgres(**changes: object) -> list[Document]:
    standard = {"server": "db", "type": "postgres", "host": "db", "port": 5432, "database": "hr", "schema": "public"}
    return [standard | changes]


def found(document: Document, folder: Path) -> list[tuple[str, str]]:
    faults = draft(write(folder, document, "contract.yaml")).findings.faults
    return [(fault.code, fault.pointer) for fault in faults]


TERM_0 = "/schema/0/properties/0/customProperties"
TERMS = "/customProperties"
SERVER = "/servers/0/customProperties"

FAULTS: dict[str, tuple[Callable[[Document], object], str, str]] = {
    "no id": (lambda d: d.pop("id"), "CON-STANDARD-MISSING", ""),
    "id in capitals": (lambda d: d.update(id="Police"), "CON-ID", "/id"),
    "id of the platform": (lambda d: d.update(id="golden"), "CON-ID-RESERVED", "/id"),
    "no apiVersion": (lambda d: d.pop("apiVersion"), "CON-STANDARD-MISSING", ""),
    "apiVersion too old": (lambda d: d.update(apiVersion="v2.2.2"), "CON-API-VERSION", "/apiVersion"),
    "apiVersion unheard of": (lambda d: d.update(apiVersion="v9"), "CON-API-VERSION", "/apiVersion"),
    "another kind": (lambda d: d.update(kind="Recipe"), "CON-STANDARD-VALUE", "/kind"),
    "version a number": (lambda d: d.update(version=1.0), "CON-STANDARD-TYPE", "/version"),
    "unknown key": (lambda d: d.update(colour="red"), "CON-STANDARD-KEY", ""),
    "unknown key of a column": (lambda d: columns_of(d)[1].update(colour="red"), "CON-STANDARD-KEY", "/schema/0/properties/1"),
    "logical type unheard of": (
        lambda d: columns_of(d)[2].update(logicalType="text"),
        "CON-STANDARD-VALUE",
        "/schema/0/properties/2/logicalType",
    ),
    "no domain": (lambda d: d.pop("domain"), "CON-DOMAIN", "/domain"),
    "blank domain": (lambda d: d.update(domain=" "), "CON-DOMAIN", "/domain"),
    "no servers": (lambda d: d.pop("servers"), "CON-SERVER", "/servers"),
    "server of an unsupported type": (
        lambda d: d.update(servers=[{"server": "k", "type": "kafka", "host": "h"}]),
        "CON-SERVER-TYPE",
        "/servers/0/type",
    ),
    "server without a path": (
        lambda d: d.update(servers=[{"server": "a", "type": "local", "format": "csv"}]),
        "CON-STANDARD-MISSING",
        "/servers/0",
    ),
    "empty path": (lambda d: d.update(servers=[LOCAL | {"path": ""}]), "CON-SERVER-PATH", "/servers/0/path"),
    "format unheard of": (lambda d: d.update(servers=[LOCAL | {"format": "docx"}]), "CON-FORMAT", "/servers/0/format"),
    "encoding unheard of": (lambda d: d.update(servers=[LOCAL | {"encoding": "klingon"}]), "CON-SOURCE-ENCODING", "/servers/0/encoding"),
    "delimiter of two characters": (
        lambda d: d.update(servers=[LOCAL | {"customProperties": custom(delimiter="ab")}]),
        "CON-DELIMITER",
        f"{SERVER}/0/value",
    ),
    "header row zero": (
        lambda d: d.update(servers=[LOCAL | {"customProperties": custom(headerRow=0)}]),
        "CON-HEADER-ROW",
        f"{SERVER}/0/value",
    ),
    "database without url": (lambda d: d.update(servers=database(table="t")), "CON-URL-MISSING", SERVER),
    "url that is none": (lambda d: d.update(servers=database(url="hr database", table="t")), "CON-URL", f"{SERVER}/0/value"),
    "url without a driver": (lambda d: d.update(servers=database(url="nosuch://h/d", table="t")), "CON-URL-DRIVER", f"{SERVER}/0/value"),
    "table and query": (
        lambda d: d.update(servers=database(url="sqlite:///a.db", table="t", query="select 1")),
        "CON-TABLE",
        f"{SERVER}/2/value",
    ),
    "neither table nor query": (lambda d: d.update(servers=database(url="sqlite:///a.db")), "CON-TABLE", SERVER),
    "query that writes": (
        lambda d: d.update(servers=database(url="sqlite:///a.db", query="delete from t")),
        "CON-QUERY",
        f"{SERVER}/1/value",
    ),
    "password in a url": (
        lambda d: d.update(servers=database(url="postgresql://u:geheim@h/db", table="t")),
        "CON-SECRET",
        f"{SERVER}/0/value",
    ),
    "half of a password in a url": (
        lambda d: d.update(servers=database(url="postgresql://u:geheim${PW}@h/db", table="t")),
        "CON-SECRET",
        f"{SERVER}/0/value",
    ),
    "password as a parameter": (
        lambda d: d.update(servers=database(url="mysql+pymysql://h/db?password=geheim", table="t")),
        "CON-SECRET",
        f"{SERVER}/0/value",
    ),
    "password in an odbc text": (
        lambda d: d.update(servers=database(url="mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dgeheim", table="t")),
        "CON-SECRET",
        f"{SERVER}/0/value",
    ),
    "password of a standard server": (
        lambda d: d.update(servers=postgres(customProperties=custom(user="u", password="geheim"))),
        "CON-SECRET",
        f"{SERVER}/1/value",
    ),
    "no schema": (lambda d: d.pop("schema"), "CON-SCHEMA", "/schema"),
    "two schema objects": (lambda d: d["schema"].append({"name": "b", "properties": []}), "CON-SCHEMA", "/schema"),
    "no columns": (lambda d: d["schema"][0].update(properties=[]), "CON-COLUMN-NONE", "/schema/0/properties"),
    "column without a name": (lambda d: columns_of(d)[1].pop("name"), "CON-STANDARD-MISSING", "/schema/0/properties/1"),
    "column name of the platform": (lambda d: columns_of(d)[1].update(name="_row"), "CON-COLUMN-NAME", "/schema/0/properties/1/name"),
    "column twice": (lambda d: columns_of(d)[2].update(name="XM"), "CON-COLUMN-TWICE", "/schema/0/properties/2/name"),
    "no key": (lambda d: columns_of(d)[0].pop("primaryKey"), "CON-KEY", "/schema/0/properties"),
    "two keys in one place": (
        lambda d: [c.update(primaryKey=True, primaryKeyPosition=1) for c in columns_of(d)],
        "CON-KEY-POSITION",
        "/schema/0/properties",
    ),
    "element unheard of": (
        lambda d: columns_of(d).__setitem__(1, column("xm", "姓名", element="nam")),
        "CON-ELEMENT",
        "/schema/0/properties/1/customProperties/1/value",
    ),
    "level unheard of": (lambda d: columns_of(d)[0].update(customProperties=custom(level="L5")), "CON-LEVEL", f"{TERM_0}/0/value"),
    "share of a column unheard of": (
        lambda d: columns_of(d)[0].update(customProperties=custom(share="all")),
        "CON-SHARE",
        f"{TERM_0}/0/value",
    ),
    "column not shared and no law": (lambda d: columns_of(d)[0].update(customProperties=custom(share="none")), "CON-LEGAL-BASIS", TERM_0),
    "state secret": (lambda d: columns_of(d)[0].update(customProperties=custom(secret=True)), "CON-STATE-SECRET", f"{TERM_0}/0/value"),
    "code system unheard of": (
        lambda d: columns_of(d)[2].update(customProperties=custom(element="sex", codeSystem="GB/T 0")),
        "CON-CODE-SYSTEM",
        "/schema/0/properties/2/customProperties/1/value",
    ),
    "code system of another element": (
        lambda d: columns_of(d)[2].update(customProperties=custom(element="sex", codeSystem="GB/T 4658-2006")),
        "CON-CODE-SYSTEM-OTHER",
        "/schema/0/properties/2/customProperties/1/value",
    ),
    "share unheard of": (lambda d: d.update(customProperties=custom(share="all")), "CON-SHARE", f"{TERMS}/0/value"),
    "not shared and no law": (lambda d: d.update(customProperties=custom(share="none")), "CON-LEGAL-BASIS", TERMS),
    "update frequency unheard of": (
        lambda d: d.update(customProperties=custom(updateFrequency="偶尔")),
        "CON-FREQUENCY",
        f"{TERMS}/0/value",
    ),
    "verified as a text": (lambda d: d.update(customProperties=custom(verified="yes")), "CON-TERM", f"{TERMS}/0/value"),
    "source of record of an unheard-of element": (
        lambda d: d.update(customProperties=custom(sourceOfRecord=["name", "nose"])),
        "CON-ELEMENT",
        f"{TERMS}/0/value/1",
    ),
    "property twice": (lambda d: d.update(customProperties=custom(share="conditional") * 2), "CON-TERM-TWICE", f"{TERMS}/1"),
    "date that is none": (lambda d: d.update(customProperties=custom(publishedOn="2026-02-30")), "CON-TERM", f"{TERMS}/0/value"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_code_and_place(name: str, tmp_path: Path) -> None:
    change, code, pointer = FAULTS[name]
    assert found(changed(change), tmp_path) == [(code, pointer)]


def test_the_good_contract_has_neither_faults_nor_warnings(tmp_path: Path) -> None:
    findings = draft(write(tmp_path, good_contract())).findings
    assert (findings.faults, findings.warnings) == ([], [])


def test_ten_faults_of_one_contract_are_told_at_once(tmp_path: Path) -> None:
    def spoil(document: Document) -> None:
        document.update(
            id="Police", version=1, colour="red", apiVersion="v2.2.2", customProperties=custom(share="all", updateFrequency="偶尔")
        )
        document.pop("domain")
        columns_of(document)[0].update(customProperties=custom(element="nose", level="L9"), logicalType="text")
        columns_of(document)[0].pop("primaryKey")
        columns_of(document)[2]["name"] = "xm"

    codes = [code for code, _ in found(changed(spoil), tmp_path)]
    assert sorted(codes) == sorted(
        [
            "CON-API-VERSION",
            "CON-STANDARD-TYPE",
            "CON-STANDARD-KEY",
            "CON-STANDARD-VALUE",
            "CON-ID",
            "CON-DOMAIN",
            "CON-SHARE",
            "CON-FREQUENCY",
            "CON-ELEMENT",
            "CON-LEVEL",
            "CON-KEY",
            "CON-COLUMN-TWICE",
        ]
    )


TEXTS = {
    "cut off inside a quotation": ('id: "poli', "CON-YAML"),
    "cut off inside a list": ("schema: [a, b", "CON-YAML"),
    "a tab for indentation": ("id: a\n\tname: b", "CON-YAML"),
    "a key twice": ("id: a\nid: b", "CON-YAML"),
    "an unknown tag": ("id: !python/object:os.system x", "CON-YAML"),
    "no YAML at all": ("PK\x03\x04", "CON-YAML"),
    "an empty file": ("", "CON-DOCUMENT"),
    "a list": ("- a\n- b", "CON-DOCUMENT"),
    "plain text": ("请登记此数据集", "CON-DOCUMENT"),
    "two documents": ("id: a\n---\nid: b", "CON-DOCUMENT"),
    "aliases that expand without end": (
        "a: &a [1,2,3,4,5,6,7,8,9]\n"
        + "".join(f"{k}: &{k} [{','.join([f'*{j}'] * 9)}]\n" for j, k in zip("abcdefgh", "bcdefghi", strict=True)),
        "CON-SIZE",
    ),
    "a list within itself": ("a: &a [*a]", "CON-SIZE"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_is_no_contract_is_refused(name: str, tmp_path: Path) -> None:
    text, code = TEXTS[name]
    path = tmp_path / "contract.yaml"
    path.write_text(text, encoding="utf-8")
    assert [fault.code for fault in draft(path).findings.faults] == [code]


def test_a_contract_cut_off_within_a_line_never_passes_in_silence(tmp_path: Path) -> None:
    whole = write(tmp_path, good_contract()).read_bytes()
    path = tmp_path / "cut.yaml"
    for end in range(1, len(whole), 23):
        path.write_bytes(whole[:end])
        findings = draft(path).findings
        assert findings.faults or "CON-CUT" in {warning.code for warning in findings.warnings} or whole[end - 1 : end] == b"\n", end


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    gbk, huge = tmp_path / "gbk.yaml", tmp_path / "huge.yaml"
    gbk.write_bytes("name: 户籍".encode("gb18030"))
    huge.write_bytes(b"#" * (4 * 1024 * 1024 + 1))
    codes = [draft(path).findings.faults[0].code for path in (tmp_path / "missing.yaml", gbk, huge)]
    assert codes == ["CON-READ", "CON-ENCODING", "CON-SIZE"]


def test_a_secret_never_stands_in_a_message(tmp_path: Path) -> None:
    secret = "geheim-2026"
    servers = [
        database(url=f"postgresql://u:{secret}@h/db", table="t"),
        database(url=f"postgresql://u:{secret}@h:port/db", table="t"),
        database(url=f"nosuch://u:{secret}@h/db", table="t"),
        database(url=[secret], table="t"),
        postgres(host=f"u:{secret}@h"),
        postgres(customProperties=custom(user="u", password=secret)),
        postgres(customProperties=custom(user="u", password=[secret])),
    ]
    for server in servers:
        findings = draft(write(tmp_path, good_contract(servers=server))).findings
        assert findings.faults
        assert secret not in "".join(str(fault) for fault in [*findings.faults, *findings.warnings])


def test_every_code_of_registration_has_its_texts_in_both_languages(tmp_path: Path) -> None:
    used = {code for _, code, _ in FAULTS.values()} | {code for _, code in TEXTS.values()}
    known = {code for code in load_error_texts() if code.startswith("CON-")}
    assert used <= known
    fault: ContractFault = draft(tmp_path / "missing.yaml").findings.faults[0]
    assert fault.reason_zh and fault.reason_en and fault.next_zh and fault.next_en

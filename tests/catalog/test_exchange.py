"""DCAT-AP, ODCS and OpenLineage: what goes out is what the specifications ask for, and what comes back is what went out."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import yaml

from catalog.contracts.findings import Findings
from catalog.contracts.standard import check_standard
from catalog.datasets import load_contracts
from catalog.entries.attaching import resource_of, resources_of
from catalog.entries.shelf import Entry, load_entry
from catalog.entries.states import State
from catalog.exchange.dcat import FREQUENCIES, as_dcat, read_dcat
from catalog.exchange.lineage import lineage_events
from catalog.exchange.odcs import as_odcs, as_yaml
from catalog.registration import register
from catalog.schema import AccountRow, EntryRow, GoldenInputRow, GoldenVersionRow, ReceiptRow, ReconcileRunRow, SnapshotRow
from catalog.store import Store
from catalog.terms import UPDATE_FREQUENCIES
from rules.citations import Citation, Kind
from tests.catalog.contracts import good_contract, write
from tests.catalog.entries import good_entry, with_column
from tests.catalog.test_workbook import DEPARTMENTS
from tests.catalog.test_workbook import entry as drafted

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PIPL = Citation(kind=Kind.LAW, title="中华人民共和国个人信息保护法", article="第二十八条")


def published(number: int = 1, **changes: Any) -> Entry:
    content = with_column(good_entry(**changes), "man_id", share="none", no_share_reason="敏感", citation=PIPL, length=18)
    whole = drafted(content, number, f"307005/{number:06}")
    return replace(whole, state=State.PUBLISHED, version=1, published=content, published_at=NOW)


def document(*entries: Entry) -> Any:
    return json.loads(json.dumps(as_dcat(entries, {}, title="目录", publisher="统筹局", now=NOW)))


def test_a_catalogue_goes_out_as_dcat_and_comes_back_unchanged() -> None:
    whole = published(items={"open": True, "openConditions": "无", "recordCount": 12, "relatedResources": ["307005/000002"]})
    other = published(2, title="收养登记信息", items={"updateFrequency": "每半年"})
    read = read_dcat(document(whole, other), DEPARTMENTS)
    assert read.faults == []
    assert [(e.content, e.code, e.revision) for e in read.entries] == [(e.published, e.code, e.revision) for e in (whole, other)]


PROFILE: dict[str, dict[str, tuple[int, int | None, str]]] = {
    "dcat:Catalog": {
        "dct:title": (1, None, "literal"), "dct:description": (1, None, "literal"), "dct:publisher": (1, 1, "foaf:Agent"),
        "dcat:dataset": (0, None, "dcat:Dataset"), "dct:modified": (0, 1, "moment"),
    },
    "dcat:Dataset": {
        "dct:title": (1, None, "literal"), "dct:description": (1, None, "literal"), "dct:publisher": (0, 1, "foaf:Agent"),
        "dcat:theme": (0, None, "skos:Concept"), "dcat:keyword": (0, None, "literal"), "dct:accessRights": (0, 1, "dct:RightsStatement"),
        "dct:accrualPeriodicity": (0, 1, "dct:Frequency"), "dct:issued": (0, 1, "moment"), "dct:identifier": (0, None, "literal"),
        "dcat:contactPoint": (0, None, "vcard:Kind"), "dcat:distribution": (0, None, "dcat:Distribution"),
        "dcat:version": (0, 1, "literal"), "dct:relation": (0, None, "rdfs:Resource"),
    },
    "dcat:Distribution": {
        "dcat:accessURL": (1, None, "rdfs:Resource"), "dct:title": (0, None, "literal"), "dct:format": (0, 1, "dct:MediaTypeOrExtent"),
    },
    "foaf:Agent": {"foaf:name": (1, None, "literal")},
    "skos:Concept": {"skos:prefLabel": (1, None, "literal")},
}  # fmt: skip
"""Of each class the properties that we write: how many at least and at most, and of what kind.

Read off the shapes that DCAT-AP 3.0.0 was released with: counts and classes are those of `shacl/dcat-ap-SHACL.ttl`; that texts are
literals and moments are typed is of `html/shacl/shapes.ttl`. `dcat:version` has no shape there: the text of the profile says one literal.
A table beside a naive validator, not a run of the shapes.
"""
MOMENTS = {"xsd:date", "xsd:dateTime", "xsd:gYear", "xsd:gYearMonth"}


def violations(node: Any, at: str = "") -> list[str]:
    """A naive validator of the profile over the tree that we write."""
    found = []
    for kind in types_of(node):
        for name, (least, most, wanted) in PROFILE.get(kind, {}).items():
            values = listed(node.get(name))
            if not least <= len(values) <= (len(values) if most is None else most):
                found.append(f"{at}/{name}: {len(values)}")
            found += [f"{at}/{name}: {wanted}" for value in values if not of_kind(value, wanted)]
    for name, value in node.items():
        for number, one in enumerate(listed(value)):
            found += violations(one, f"{at}/{name}/{number}") if isinstance(one, dict) and not name.startswith("@") else []
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def types_of(node: Any) -> list[str]:
    return listed(node.get("@type")) if isinstance(node, dict) else []


def of_kind(value: Any, wanted: str) -> bool:
    if wanted == "literal":
        return bool(value if isinstance(value, str) else value.get("@value"))
    if wanted == "moment":
        return isinstance(value, dict) and value.get("@type") in MOMENTS and bool(datetime.fromisoformat(value["@value"]))
    named = isinstance(value, dict) and ("@id" not in value or (":" in value["@id"] and " " not in value["@id"]))
    return named and wanted in types_of(value)


def test_dcat_keeps_to_the_profile(store: Store, tmp_path: Path) -> None:
    """What is mandatory stands there, nothing stands too often, everything is of the class that the profile asks for."""
    kept = {"open": True, "relatedResources": ["307005/000002"], "contactName": "值班室", "contactPhone": "0757-1", "creditCode": "x"}
    registered(store, tmp_path)
    with store.session() as session:
        resource = resource_of(session, "police_hukou")
    assert resource is not None
    entries = [published(items=kept), published(2, title="收养登记信息")]
    attached = {1: [replace(resource, attached_at=NOW)]}
    out = json.loads(json.dumps(as_dcat(entries, attached, title="目录", publisher="统筹局", now=NOW)))
    assert violations(out) == []
    dataset = out["dcat:dataset"][0]
    assert {"dct:publisher", "dcat:theme", "dcat:contactPoint", "dcat:distribution", "dct:relation"} <= dataset.keys()
    assert dataset["dct:accrualPeriodicity"]["@id"].endswith("/DAILY") and dataset["dct:accessRights"]["@id"].endswith("/NON_PUBLIC")
    prefixes = {key.split(":")[0] for key in dataset if not key.startswith("@")}
    assert prefixes <= set(out["@context"]) and set(FREQUENCIES) == set(UPDATE_FREQUENCIES)
    assert {name for name in dataset if name.startswith(("dct:", "dcat:"))} <= PROFILE["dcat:Dataset"].keys(), "what is written is checked"


@pytest.mark.parametrize("missing", ["dct:title", "dct:description"])
def test_the_naive_validator_sees_what_is_missing(missing: str) -> None:
    out = document(published())
    del out["dcat:dataset"][0][missing]
    out["dct:publisher"] = [out["dct:publisher"], {"@type": "foaf:Agent"}]
    out["dct:modified"] = "2026"
    del out["dcat:dataset"][0]["dcat:theme"]["skos:prefLabel"]
    assert set(violations(out)) == {
        "/dct:publisher: 2", "/dct:publisher/1/foaf:name: 0", "/dct:modified: moment",
        f"/dcat:dataset/0/{missing}: 0", "/dcat:dataset/0/dcat:theme/0/skos:prefLabel: 0",
    }  # fmt: skip


def test_what_was_never_published_does_not_go_out() -> None:
    assert document(drafted(good_entry()))["dcat:dataset"] == []


def test_a_foreign_catalogue_is_read_as_far_as_it_goes() -> None:
    foreign = {
        "@graph": [
            {"@type": "dcat:Catalog"},
            {
                "@type": ["dcat:Dataset"],
                "dct:title": [{"@language": "zh", "@value": "公交站点"}],
                "dct:description": "全区公交站点",
                "dct:publisher": {"foaf:name": "公安局"},
                "dct:identifier": "https://example.org/42",
            },
            {"@type": "dcat:Dataset", "dct:title": 7},
            {"@type": "dcat:Dataset", "dct:title": "坏表", "csvw:tableSchema": {"csvw:column": [{"tc:column": 3}]}},
        ]
    }
    read = read_dcat(foreign, DEPARTMENTS)
    assert [(e.content.title, e.content.department, e.content.items, e.code) for e in read.entries] == [
        ("公交站点", "police", {"abstract": "全区公交站点"}, None)
    ]
    assert [(f.place, f.code) for f in read.faults] == [("/@graph/2/dct:title", "LD-VALUE"), ("/@graph/3", "LD-VALUE")]


@pytest.mark.parametrize("foreign", [{}, [], 3, None, "x", {"dcat:dataset": None}, {"@graph": [1, [], {}]}])
def test_what_is_no_catalogue_says_so(foreign: Any) -> None:
    assert [fault.code for fault in read_dcat(foreign, {}).faults] == ["LD-DOCUMENT"]


def registered(store: Store, folder: Path) -> tuple[Entry, Any]:
    register(store, [write(folder, good_contract(description={"purpose": "户籍人口"}))], now=NOW)
    with store.session() as session:
        resource = resource_of(session, "police_hukou")
        assert resource is not None
        return load_entry(session, resource.entry), load_contracts(session, "police_hukou")[-1]


def test_an_entry_goes_out_as_a_contract_of_the_standard_and_registers_again(store: Store, tmp_path: Path) -> None:
    entry, contract = registered(store, tmp_path)
    content = replace(entry.content, items={**entry.content.items, "shareConditions": "限统计"})
    wider = replace(entry, content=with_column(content, "xb", share="conditional", level="L4"))
    out = as_odcs(wider, contract)
    findings = Findings(file="x")
    check_standard(out, findings)
    assert findings.faults == []
    (tmp_path / "again.yaml").write_text(as_yaml(out), encoding="utf-8")
    report = register(store, [tmp_path / "again.yaml"], now=NOW)
    assert (report.refused, report.registered) == ((), ("police_hukou",))
    with store.session() as session:
        again = load_entry(session, entry.id)
    assert again.content == wider.content


def test_an_entry_without_data_is_a_contract_without_a_server() -> None:
    out = yaml.safe_load(as_yaml(as_odcs(published(), None)))
    findings = Findings(file="x")
    check_standard(out, findings)
    assert findings.faults == [] and "servers" not in out and out["status"] == "active"
    custom = {entry["property"]: entry["value"] for entry in out["schema"][0]["properties"][1]["customProperties"]}
    assert custom["legalBasis"] == "《中华人民共和国个人信息保护法》第二十八条" and custom["dataLength"] == 18


def test_distributions_are_the_attached_data_sets(store: Store, tmp_path: Path) -> None:
    entry, _ = registered(store, tmp_path)
    with store.session() as session, session.begin():
        session.execute(sa.update(EntryRow).values(state="published", published_number=1, version=1, published_at=NOW))
        session.flush()
        out = as_dcat([load_entry(session, entry.id)], {entry.id: resources_of(session, entry.id)}, title="目录", publisher="局", now=NOW)
    (distribution,) = out["dcat:dataset"][0]["dcat:distribution"]
    assert distribution["dct:title"] == "police_hukou" and distribution["dcat:accessURL"]["@id"] and len(distribution["tc:report"]) == 64


def reconciled(store: Store) -> None:
    """As a reconciliation and two extracts leave it in the store."""
    with store.session() as session, session.begin():
        session.add(AccountRow(name="a", title="a", active=True, created_at=NOW))
        session.add(
            SnapshotRow(dataset_key="police_hukou", version=3, state="accepted", source_digest="", contract_version=1, rules_version="",
                        rows_raw=1, received_at=NOW)
        )  # fmt: skip
        session.add(ReconcileRunRow(id=1, full=True, state="done", message="", started_at=NOW))
        session.flush()
        session.add(
            GoldenVersionRow(version=1, run_id=1, inputs_digest="", rules_version="", residents=20, records=21, counts={}, created_at=NOW)
        )
        session.flush()
        session.add(GoldenInputRow(golden_version=1, dataset_key="police_hukou", snapshot_version=3))
        masks = {"name": {"mask": "partial_name", "minor_mask": "suppress"}, "sex": {"mask": "keep", "minor_mask": "keep"}}
        for target in ("golden", "police_hukou"):
            session.add(
                ReceiptRow(actor="a", target=target, target_version=1, columns=["name", "sex"], masks=masks, rules_version="", rows=20,
                           residents=20, format="csv", digest="", audit_seq=1, handed_over_at=NOW)
            )  # fmt: skip


def test_lineage_leads_from_the_source_column_to_the_extract(store: Store, tmp_path: Path) -> None:
    registered(store, tmp_path)
    reconciled(store)
    with store.session() as session:
        events = lineage_events(session)
    by_output = {event["outputs"][0]["name"]: event for event in events}
    golden = by_output["golden"]["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert {element: [(f["name"], f["field"]) for f in told["inputFields"]] for element, told in golden.items()} == {
        "id_number": [("police_hukou", "pid")], "name": [("police_hukou", "xm")], "sex": [("police_hukou", "xb")],
    }  # fmt: skip
    extract = by_output["extract/1"]["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert {name: told["transformationType"] for name, told in extract.items()} == {"name": "MASKED", "sex": "IDENTITY"}
    assert [told["inputFields"][0]["transformations"][0]["masking"] for told in extract.values()] == [True, False]
    assert by_output["extract/1"]["inputs"][0]["name"] == "golden" and by_output["extract/2"]["inputs"][0]["name"] == "police_hukou"
    assert extract["name"]["transformationDescription"] == "partial_name / suppress"


def test_lineage_events_have_what_the_specification_requires(store: Store, tmp_path: Path) -> None:
    """OpenLineage 2-0-2: a RunEvent has eventTime, producer, schemaURL, run and job; every facet its producer and schema."""
    registered(store, tmp_path)
    reconciled(store)
    with store.session() as session:
        events, again = lineage_events(session), lineage_events(session)
    assert events == again and len(events) == 3
    for event in events:
        assert {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"} == event.keys()
        assert datetime.fromisoformat(event["eventTime"]).tzinfo and UUID(event["run"]["runId"])
        for dataset in (*event["inputs"], *event["outputs"], event["job"]):
            assert dataset["namespace"] and dataset["name"]
        for facet in [
            f for d in (*event["inputs"], *event["outputs"]) for f in (*d["facets"].values(), *d.get("outputFacets", {}).values())
        ]:
            assert facet["_producer"] and facet["_schemaURL"].startswith("https://openlineage.io/spec/facets/")


def test_lineage_can_be_asked_of_one_data_set(store: Store, tmp_path: Path) -> None:
    registered(store, tmp_path)
    with store.session() as session:
        assert lineage_events(session) == []
    reconciled(store)
    with store.session() as session:
        assert len(lineage_events(session, "police_hukou")) == 3 and lineage_events(session, "nothing") == []

"""Lineage (数据血缘) as OpenLineage events: source column → golden element → extract, each step marked identity or masked.

Plain JSON by the specification (https://openlineage.io/spec/2-0-2), so that any consumer of it can read where a value came from. No value
and no row stands in an event: names of data sets and columns, versions and counts.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import DataGrantRow, DatasetColumnRow, DatasetRow, GoldenInputRow, GoldenVersionRow, ReceiptRow
from rules.elements import load_elements

NAMESPACE = "tongchou"
PRODUCER = "urn:tongchou"
EVENT_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
COLUMN_FACET = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"
SCHEMA_FACET = "https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
VERSION_FACET = "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
STATISTICS_FACET = (
    "https://openlineage.io/spec/facets/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet"
)
RUNS = UUID("6f9b2c1e-6f0e-5b5e-9a51-7d0f1d1f4c11")
"""Runs have no identifier of that kind here: theirs is made of what they are."""
GOLDEN, KEEP, SUPPRESS = "golden", "keep", "suppress"
EVENTS_MOST = 10_000
SURVIVORSHIP = "标准化、比对、择优 standardised, linked, chosen by survivorship"


def lineage_events(session: Session, dataset: str | None = None) -> list[dict[str, Any]]:
    """Of the newest golden version, and of every extract handed over; all, or those that a data set leads to. Oldest first."""
    golden = _golden_event(session, dataset)
    extracts = list(_extract_events(session))
    if dataset is not None:
        reached = {dataset, *([GOLDEN] if golden else [])}
        extracts = [event for event in extracts if any(name["name"] in reached for name in event["inputs"])]
    events = [*([golden] if golden else []), *extracts]
    return sorted(events, key=lambda event: (event["eventTime"], event["run"]["runId"]))[-EVENTS_MOST:]


def _golden_event(session: Session, only: str | None) -> dict[str, Any] | None:
    """The reconciliation that made the newest version: which columns of which snapshots each golden element was chosen from."""
    version = session.scalar(sa.select(GoldenVersionRow).order_by(GoldenVersionRow.version.desc()).limit(1))
    if version is None:
        return None
    inputs = dict(
        session.execute(sa.select(GoldenInputRow.dataset_key, GoldenInputRow.snapshot_version).filter_by(golden_version=version.version))
        .tuples()
        .all()
    )
    if only is not None and only not in inputs:
        return None
    carried = _columns_by_element(session, sorted(inputs))
    fields = {element: _field(sources, masked=None) for element, sources in carried.items()}
    output = _dataset(GOLDEN, version.version, fields, rows=version.residents)
    return _event(
        "reconcile", f"golden {version.version}", version.created_at, [_input(key, at) for key, at in sorted(inputs.items())], output
    )


def _columns_by_element(session: Session, datasets: Sequence[str]) -> Mapping[str, list[tuple[str, str]]]:
    """Data set and column by the element of the golden records that they carry."""
    c = DatasetColumnRow
    query = sa.select(c.element, c.dataset_key, c.name).where(c.dataset_key.in_(datasets), c.element.is_not(None))
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for element, dataset, name in session.execute(query.order_by(c.element, c.dataset_key, c.position)).tuples():
        if element is not None and load_elements()[element].describes == "person":
            found[element].append((dataset, name))
    return found


def _extract_events(session: Session) -> Iterator[dict[str, Any]]:
    known = frozenset(session.scalars(sa.select(DatasetRow.key)))
    grants = dict(session.execute(sa.select(DataGrantRow.id, DataGrantRow.grantee_key)).tuples().all())
    for receipt in session.scalars(sa.select(ReceiptRow).order_by(ReceiptRow.id.desc()).limit(EVENTS_MOST)):
        source = receipt.target if receipt.target in known else GOLDEN
        fields = {name: _field([(source, name)], masked=_masks(receipt, name)) for name in receipt.columns}
        output = _dataset(f"extract/{receipt.id}", None, fields, rows=receipt.rows)
        job = f"extract/{grants[receipt.grant_id]}" if receipt.grant_id is not None else "export"
        yield _event(job, f"receipt {receipt.id}", receipt.handed_over_at, [_input(source, receipt.target_version)], output)


def _masks(receipt: ReceiptRow, column: str) -> str:
    """The mask of grown-ups' rows, and that of children's where it is another."""
    masks = receipt.masks.get(column, {})
    return " / ".join(dict.fromkeys(str(masks.get(key, KEEP)) for key in ("mask", "minor_mask")))


def _field(sources: Sequence[tuple[str, str]], *, masked: str | None) -> dict[str, Any]:
    """How an output column came about. `masked` names the masks of an extract; None: made by reconciliation."""
    identity = masked == KEEP
    told = {
        "type": "DIRECT",
        "subtype": "IDENTITY" if identity else "TRANSFORMATION",
        "description": SURVIVORSHIP if masked is None else masked,
        "masking": masked is not None and not identity,
    }
    whole = {} if masked is None else {"transformationType": "IDENTITY" if identity else "MASKED", "transformationDescription": masked}
    return {
        "inputFields": [{"namespace": NAMESPACE, "name": name, "field": field, "transformations": [told]} for name, field in sources],
        **whole,
    }


def _input(name: str, version: int) -> dict[str, Any]:
    return {"namespace": NAMESPACE, "name": name, "facets": {"version": {**_facet(VERSION_FACET), "datasetVersion": str(version)}}}


def _dataset(name: str, version: int | None, fields: Mapping[str, Any], *, rows: int) -> dict[str, Any]:
    facets: dict[str, Any] = {
        "schema": {**_facet(SCHEMA_FACET), "fields": [{"name": field} for field in fields]},
        "columnLineage": {**_facet(COLUMN_FACET), "fields": dict(fields)},
    }
    if version is not None:
        facets["version"] = {**_facet(VERSION_FACET), "datasetVersion": str(version)}
    statistics = {"outputStatistics": {**_facet(STATISTICS_FACET), "rowCount": rows}}
    return {"namespace": NAMESPACE, "name": name, "facets": facets, "outputFacets": statistics}


def _event(job: str, run: str, at: datetime, inputs: Sequence[Mapping[str, Any]], output: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA,
        "run": {"runId": str(uuid5(RUNS, run))},
        "job": {"namespace": NAMESPACE, "name": job},
        "inputs": list(inputs),
        "outputs": [dict(output)],
    }


def _facet(schema: str) -> dict[str, str]:
    return {"_producer": PRODUCER, "_schemaURL": schema}

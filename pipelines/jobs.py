"""The jobs: `ingest` brings data sets in, `reconcile` makes residents, golden records, serving copy, tickets; `casework` goes by day."""

import dagster as dg

from pipelines.partitions import STAGES

INGEST = "ingest"
RECONCILE = "reconcile"
CASEWORK = "casework"

ingest = dg.define_asset_job(INGEST, selection=list(STAGES), description="归集: data sets in, raw → standard → gate")
reconcile = dg.define_asset_job(
    RECONCILE, selection=["residents", "golden", "serving", "tickets"], description="对账: residents, golden records, serving copy, tickets"
)
casework = dg.define_asset_job(CASEWORK, selection=["tickets"], description="办理: tickets, notices, reminders")

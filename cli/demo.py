"""`tongchou demo`: the main job on a synthetic district, from the departments' files to a masked extract, told as a clerk would read it."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import click
from sqlalchemy.orm import Session

from access.accounts import OPERATOR_NAME, Role, create_account
from access.door import Door, open_door
from access.grants import grant, list_grants
from access.terms import Grant
from audit.log import Log, open_log
from audit.verify import verify
from casework.tickets import open_by_department
from catalog.datasets import load_datasets
from catalog.quality import quality_of
from catalog.registration import RegistrationReport, register
from cli.catalogue import make_home
from cli.demo_summary import Told, figures, print_summary
from cli.output import print_json, progress
from cli.platform import Platform, platform
from connectors.intake import IngestOutcome
from golden.explain import Explanation, most_disputed, text_of
from golden.measure import by_pattern, golden_accuracy, pairwise
from golden.reconcile import ReconcileOutcome
from golden.versions import golden_folder
from rules.errors import NotFound
from rules.tiers import Tier

RESIDENTS = 20_000
SEED = 20_261_123
REQUESTER, REQUESTER_ACCOUNT = "civil_affairs", "minzheng-jiuzhu"
PURPOSE, BASIS = "低保对象年度复核 yearly review of subsistence allowances", "社会救助暂行办法 第十三条"
COLUMNS = ("resident_id", "name", "id_number", "sex", "birth_date", "residence_address", "grid_code", "phone")
SHOWN_REASONS = 4


@click.command()
@click.option("--residents", type=click.IntRange(1_000, 200_000), default=RESIDENTS, show_default=True, help="How many residents (居民数).")
@click.option("--seed", type=int, default=SEED, show_default=True, help="Seed of the district (随机种子).")
@click.option("--json", "as_json", is_flag=True, help="For machines (机器可读).")
@platform
def demo(here: Platform, residents: int, seed: int, as_json: bool) -> int:
    """Run the whole road (全流程演示) on a synthetic district: register, ingest, reconcile, extract, audit. Runs again without harm."""
    told = run_road(here, residents, seed)
    if as_json:
        print_json(figures(told))
    else:
        print_summary(here, told)
    return 0 if told.verdict.ok else 5


def run_road(here: Platform, residents: int, seed: int) -> Told:
    """Every step of the road once; what was done before is found unchanged."""
    clock = Stopwatch()
    folder = here.home.root / "district"
    with clock.step("合成区 writing the synthetic district"):
        write_district(folder, residents, seed)
    with clock.step("初始化与登记 registering data sets"):
        make_home(here)
        registration = enrol(here, folder)
    with clock.step("归集 ingest"):
        ingested = ingest_all(here)
    with clock.step("对账 reconcile"):
        golden = reconcile(here)
    with log_of(here) as log, open_door(here.home, here.store, here.now, origin="demo") as door:
        with clock.step("授权与提取 grant and extract"):
            terms = ensure_grant(here, log)
            extract = door.extract(REQUESTER_ACCOUNT, terms.id, here.home.exports / "demo-extract.csv", "csv")
        with clock.step("对照真值 measuring against the truth"):
            crosswalk = export_all(here, door)
            accuracy = pairwise(crosswalk, folder / "truth" / "records.parquet")
            patterns = by_pattern(crosswalk, folder / "truth" / "records.parquet", folder / "truth" / "patterns.parquet")
            truth = (folder / "truth" / "records.parquet", folder / "truth" / "residents.parquet")
            elements = golden_accuracy(golden_folder(here.lake, golden.version), *truth)
        with clock.step("解释与审计 explaining and auditing"):
            explained = explain_one(here, door, golden.version)
            log.seal()
            verdict = verify(log)
    with here.store.session() as session:
        datasets = load_datasets(session)
        quarantined = quarantine_counts(session, ingested)
        opened = open_by_department(session)
    return Told(
        district=folder,
        datasets=len(datasets),
        departments=len({d.department for d in datasets}),
        person_datasets=sum(d.about_persons for d in datasets),
        registration=registration,
        ingested=ingested,
        quarantined=quarantined,
        golden=golden,
        accuracy=accuracy,
        patterns=patterns,
        elements=elements,
        explained=explained,
        tickets=opened,
        account=REQUESTER_ACCOUNT,
        grant=terms,
        extract=extract,
        verdict=verdict,
        seconds=clock.seconds,
    )


class Stopwatch:
    """Tells each step as it begins and keeps how long it took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        start = time.perf_counter()
        click.echo(f"▶ {title} …", err=True)
        yield
        self.seconds[title] = round(time.perf_counter() - start, 1)
        click.echo(f"  {self.seconds[title]:.1f} s", err=True)


@contextmanager
def log_of(here: Platform) -> Iterator[Log]:
    log = open_log(here.home.audit_url, here.home.keys)
    try:
        yield log
    finally:
        log.close()


def write_district(folder: Path, residents: int, seed: int) -> None:
    """The district, unless this very one stands there already."""
    from district.build import build

    manifest = folder / "manifest.json"
    if manifest.is_file():
        made = json.loads(manifest.read_text(encoding="utf-8"))
        if (made["residents"], made["seed"]) == (residents, seed):
            return
    build(folder, residents=residents, seed=seed)


def enrol(here: Platform, folder: Path) -> RegistrationReport:
    from catalog.areas import load_areas

    with here.store.session() as session, session.begin():
        load_areas(session, folder / "areas")
    return register(here.store, [folder / "contracts"], now=here.now())


def ingest_all(here: Platform) -> list[IngestOutcome]:
    from pipelines import run

    with here.store.session() as session:
        keys = [d.key for d in load_datasets(session)]
    with progress("归集 ingest", len(keys)) as steps:
        return run.ingest(here.home, keys, on_done=lambda outcome: steps.done(outcome.dataset))


def reconcile(here: Platform) -> ReconcileOutcome:
    from pipelines import run

    with progress("对账 reconcile", None):
        return run.reconcile(here.home, full=False)


def ensure_grant(here: Platform, log: Log) -> Grant:
    """The demonstration's account and grant; those of an earlier run serve again."""
    from access.accounts import load_account

    with here.store.session() as session:
        standing = [g for g in list_grants(session) if g.grantee == REQUESTER and g.purpose == PURPOSE and g.valid_to > date.today()]  # noqa: DTZ011
        try:
            load_account(session, REQUESTER_ACCOUNT)
            known = True
        except NotFound:
            known = False
    if not known:
        roles = [Role.DEPARTMENT_REQUESTER]
        create_account(
            here.store,
            log,
            by=OPERATOR_NAME,
            name=REQUESTER_ACCOUNT,
            title="民政局 救助科",
            department=REQUESTER,
            roles=roles,
            now=here.now(),
        )
    return standing[-1] if standing else make_grant(here, log)


def make_grant(here: Platform, log: Log) -> Grant:
    today = date.today()  # noqa: DTZ011 — a day of the bureau's calendar
    return grant(
        here.store,
        here.lake,
        log,
        by=OPERATOR_NAME,
        grantee=REQUESTER,
        target="golden",
        columns=COLUMNS,
        tier=Tier.T2,
        purpose=PURPOSE,
        legal_basis=BASIS,
        valid_from=today,
        valid_to=today + timedelta(days=180),
        now=here.now(),
    )


def export_all(here: Platform, door: Door) -> Path:
    """Both full exports; the crosswalk is what the truth is compared with."""
    purpose = "演示：与合成区真值对照 demonstration: compared with the synthetic truth"
    crosswalk, residents = here.home.exports / "crosswalk.parquet", here.home.exports / "golden.parquet"
    door.export_crosswalk(OPERATOR_NAME, purpose, crosswalk)
    door.export_golden(OPERATOR_NAME, purpose, residents)
    return crosswalk


def explain_one(here: Platform, door: Door, version: int) -> str:
    """The resident whose sources differ most, explained by the door."""
    resident = most_disputed(here.lake, version)
    if resident is None:
        return ""
    explanation = door.why(OPERATOR_NAME, "演示：解释一条金记录 demonstration: one golden record explained", resident).value
    assert isinstance(explanation, Explanation)
    telling = sorted(explanation.reasons, key=lambda reason: (reason.status == "ok", -len(reason.rivals)))[:SHOWN_REASONS]
    return text_of(replace(explanation, reasons=tuple(telling)))


def quarantine_counts(session: Session, ingested: Sequence[IngestOutcome]) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for outcome in ingested:
        if outcome.quarantined:
            reasons.update({q.reason: q.rows for q in quality_of(session, outcome.dataset).quarantine})
    return reasons

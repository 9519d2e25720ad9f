"""Builds the district: blocks of residents one after another, each department's view of each block appended to its file, and the truth."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from district.areas import Areas, lay_out, write_areas
from district.contracts import promise_of, promise_of_enterprise_set, promise_of_thing, write_contract
from district.copying import copy_over
from district.dirt import spoil
from district.dirt.lives import note_lives
from district.enterprise_population import Enterprises, draw_enterprises, truth_of
from district.enterprise_sets import EnterpriseSet, EnterpriseView, load_enterprise_sets, look_at_enterprises
from district.files import EXTENSIONS, MOST_EXCEL_ROWS, Sink, open_sink
from district.forms import write_in_form
from district.person_sets import Form, PersonSet, load_person_sets
from district.plan import PATTERNS, Plan, plan
from district.regions import write_test_regions
from district.residents import populate, truth_table
from district.texts import Texts
from district.things import Thing, departments_with_things, make, things
from district.truth import TABLES, TruthFile, has_total, patterns_table, records_table, repeats_header, stray_rows
from district.views import Scene, View, look
from rules.departments import load_departments

DEPARTMENTS, DATASETS = 65, 150
MOST_DATASETS = 1_083
ENTERPRISE_TABLES = ("enterprises", "enterprise_records", "enterprise_patterns")

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class DatasetMade:
    """What was written of one data set."""

    key: str
    department: str
    title: str
    file: str
    rows: int
    columns: int
    about_persons: bool


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the district holds, as `manifest.json` says it."""

    residents: int
    seed: int
    today: str
    patterns: tuple[str, ...]
    datasets: tuple[DatasetMade, ...]

    @property
    def rows(self) -> int:
        return sum(dataset.rows for dataset in self.datasets)

    @property
    def departments(self) -> int:
        return len({dataset.department for dataset in self.datasets})


def build(
    out: Path,
    *,
    residents: int,
    seed: int,
    departments: int = DEPARTMENTS,
    datasets: int = DATASETS,
    persons_only: bool = False,
    patterns: Collection[str] = PATTERNS,
    report: Report = lambda what, done, of: None,
) -> Manifest:
    """Write a whole district under `out`: the same arguments give the same truth, byte for byte.

    The first `departments` departments take part, those that hold data of persons first; `datasets` counts all their data sets,
    of which those about persons are always made. `report` hears of progress: what, how many done, of how many.
    """
    district, units = plan(residents, seed, patterns), participants(departments)
    areas = lay_out(district)
    write_areas(areas, out / "areas")
    write_test_regions(out / "areas")
    specs = [spec for spec in load_person_sets().values() if spec.department in units]
    made = _write_persons(district, areas, out, specs, report)
    if not persons_only:
        about = [spec for spec in load_enterprise_sets().values() if spec.department in units][: max(0, datasets - len(specs))]
        made += write_enterprises(district, areas, out, about)
        made += _write_things(district, areas, out, things(district, units, max(0, datasets - len(specs) - len(about))), report)
    manifest = Manifest(
        residents=residents, seed=seed, today=str(district.today), patterns=tuple(sorted(district.patterns)), datasets=tuple(made)
    )
    (out / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest


def participants(departments: int) -> list[str]:
    """Keys of the first so many departments: those with persons in the order of their data sets, then the others."""
    with_persons = [spec.department for spec in load_person_sets().values()]
    return list(dict.fromkeys([*with_persons, *departments_with_things()]))[:departments]


def _write_persons(district: Plan, areas: Areas, out: Path, specs: list[PersonSet], report: Report) -> list[DatasetMade]:
    forms = {spec.key: form_at(spec, district) for spec in specs}
    sinks = {spec.key: open_sink(forms[spec.key], _file(out, spec, forms[spec.key]), spec.title) for spec in specs}
    truth = {name: TruthFile(out / "truth" / f"{name}.parquet") for name in TABLES}
    rows = dict.fromkeys(sinks, 0)
    for block in range(district.blocks):
        scene = Scene(residents=populate(district, block, areas), areas=areas)
        truth["residents"].write(truth_table(scene.residents))
        for spec in specs:
            rows[spec.key] += _write_view(make_view(scene, spec), sinks[spec.key], truth)
        scene.views.clear()  # views and scene name each other: without this a block lives on until the collector comes round
        report("居民 residents", district.first_of(block + 1), district.residents)
    for sink in sinks.values():
        sink.close()
    for file in truth.values():
        file.close()
    return [_person_set_made(spec, forms[spec.key], rows[spec.key], out, district) for spec in specs]


def make_view(scene: Scene, spec: PersonSet) -> View:
    """What the department saw, what it copied, what life made difficult, and what it got wrong, in this order."""
    view = look(scene, spec)
    copy_over(view)
    note_lives(view)
    spoil(view)
    scene.views[spec.key] = view
    return view


def _write_view(view: View, sink: Sink, truth: Mapping[str, TruthFile]) -> int:
    columns = write_in_form(view)
    headers = list(columns)
    if repeats_header(view):
        half = len(view) // 2
        sink.write({header: texts.slice(0, half) for header, texts in columns.items()})
        sink.note(headers)
        columns = {header: texts.slice(half) for header, texts in columns.items()}
    sink.write(columns)
    if has_total(view):
        sink.note(["合计", *[""] * (len(headers) - 1)])
    truth["records"].write(records_table(view))
    truth["patterns"].write(patterns_table(view))
    truth["patterns"].write(stray_rows(view, headers))
    return len(view)


def form_at(spec: PersonSet, district: Plan) -> Form:
    return _form_for(spec.form, district.residents * spec.rate * spec.most_share)


def _form_for(form: Form, rows: float) -> Form:
    """Excel only up to 100,000 rows; larger data sets come as text."""
    return replace(form, format="csv") if form.format == "xlsx" and rows > MOST_EXCEL_ROWS else form


def _file(out: Path, made: PersonSet | EnterpriseSet | Thing, form: Form) -> Path:
    return out / f"{made.file_name}{EXTENSIONS[form.format]}"


def _person_set_made(spec: PersonSet, form: Form, rows: int, out: Path, district: Plan) -> DatasetMade:
    write_contract(promise_of(spec, load_departments()[spec.department].title, form, district.patterns), out)
    return _made(spec, form, rows, out, about_persons=True)


def write_enterprises(district: Plan, areas: Areas, out: Path, specs: list[EnterpriseSet]) -> list[DatasetMade]:
    """The data sets about enterprises, with their contracts and their own truth."""
    population = draw_enterprises(district, areas)
    truth = {name: TruthFile(out / "truth" / f"{name}.parquet") for name in ENTERPRISE_TABLES}
    truth["enterprises"].write(truth_of(population, areas))
    made = [_write_enterprise_view(look_at_enterprises(district, areas, population, spec), population, out, truth) for spec in specs]
    for file in truth.values():
        file.close()
    return made


def _write_enterprise_view(view: EnterpriseView, population: Enterprises, out: Path, truth: Mapping[str, TruthFile]) -> DatasetMade:
    form = _form_for(view.spec.form, len(view.who))
    sink = open_sink(form, _file(out, view.spec, form), view.spec.title)
    sink.write(view.columns)
    sink.close()
    truth["enterprise_records"].write(view.records_table(population))
    truth["enterprise_patterns"].write(view.patterns_table())
    write_contract(promise_of_enterprise_set(view.spec, load_departments()[view.spec.department].title, form), out)
    return _made(view.spec, form, len(view.who), out, about_persons=False)


def _made(made: PersonSet | EnterpriseSet | Thing, form: Form, rows: int, out: Path, *, about_persons: bool) -> DatasetMade:
    return DatasetMade(
        key=made.key,
        department=made.department,
        title=made.title,
        file=str(_file(out, made, form).relative_to(out)),
        rows=rows,
        columns=len(made.columns),
        about_persons=about_persons,
    )


def _write_things(district: Plan, areas: Areas, out: Path, tables: list[Thing], report: Report) -> list[DatasetMade]:
    made = []
    for number, thing in enumerate(tables, start=1):
        columns: dict[str, Texts] = make(district, areas, thing)
        sink = open_sink(thing.form, _file(out, thing, thing.form), thing.title)
        sink.write(columns)
        sink.close()
        write_contract(promise_of_thing(thing, load_departments()[thing.department].title), out)
        made.append(_made(thing, thing.form, thing.rows, out, about_persons=False))
        report("业务表 tables", number, len(tables))
    return made

"""Builds the district: blocks of residents one after another, each department's view of each block appended to its file, and the truth."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from district.areas import Areas, lay_out, write_areas
from district.contracts import promise_of, write_contract
from district.copying import copy_over
from district.dirt import spoil
from district.dirt.lives import note_lives
from district.files import EXTENSIONS, MOST_EXCEL_ROWS, open_sink
from district.forms import write_in_form
from district.person_sets import Form, PersonSet, load_person_sets
from district.plan import PATTERNS, Plan, plan
from district.residents import populate, truth_table
from district.texts import Texts, pick, words
from district.views import Mark, Scene, View, look
from rules.departments import load_departments

TRUTH = ("residents", "records", "patterns")


@dataclass(frozen=True, kw_only=True)
class DatasetMade:
    """What was written of one data set."""

    key: str
    department: str
    title: str
    file: str
    rows: int
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


def build(
    out: Path,
    *,
    residents: int,
    seed: int,
    patterns: Collection[str] = PATTERNS,
    person_sets: Collection[str] | None = None,
) -> Manifest:
    """Write a whole district under `out`: the same residents, seed and patterns give the same truth, byte for byte."""
    district = plan(residents, seed, patterns)
    out.mkdir(parents=True, exist_ok=True)
    areas = lay_out(district)
    write_areas(areas, out / "areas")
    made = _write_persons(district, areas, out, _chosen(person_sets))
    manifest = Manifest(
        residents=residents, seed=seed, today=str(district.today), patterns=tuple(sorted(district.patterns)), datasets=tuple(made)
    )
    (out / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest


def _chosen(keys: Collection[str] | None) -> list[PersonSet]:
    return [spec for key, spec in load_person_sets().items() if keys is None or key in keys]


def _write_persons(district: Plan, areas: Areas, out: Path, specs: list[PersonSet]) -> list[DatasetMade]:
    forms = {spec.key: form_at(spec, district) for spec in specs}
    sinks = {spec.key: open_sink(forms[spec.key], _file(out, spec, forms[spec.key]), spec.title) for spec in specs}
    truth = {name: TruthFile(out / "truth" / f"{name}.parquet") for name in TRUTH}
    rows = dict.fromkeys(sinks, 0)
    for block in range(district.blocks):
        scene = Scene(residents=populate(district, block, areas), areas=areas)
        truth["residents"].write(truth_table(scene.residents))
        for spec in specs:
            view = scene.views[spec.key] = make_view(scene, spec)
            sinks[spec.key].write(write_in_form(view))
            truth["records"].write(records_table(view))
            truth["patterns"].write(patterns_table(view))
            rows[spec.key] += len(view)
    for closing in (*sinks.values(), *truth.values()):
        closing.close()
    return [_made(spec, forms[spec.key], rows[spec.key], out, district) for spec in specs]


def form_at(spec: PersonSet, district: Plan) -> Form:
    """Excel only up to 100,000 rows; larger data sets come as text."""
    if spec.form.format == "xlsx" and district.residents * spec.rate > MOST_EXCEL_ROWS:
        return replace(spec.form, format="csv")
    return spec.form


def _file(out: Path, spec: PersonSet, form: Form) -> Path:
    return out / f"{spec.file_name}{EXTENSIONS[form.format]}"


def _made(spec: PersonSet, form: Form, rows: int, out: Path, district: Plan) -> DatasetMade:
    title = load_departments()[spec.department].title
    write_contract(promise_of(spec, title, form, district.patterns), out)
    file = str(_file(out, spec, form).relative_to(out))
    return DatasetMade(key=spec.key, department=spec.department, title=spec.title, file=file, rows=rows, about_persons=True)


def make_view(scene: Scene, spec: PersonSet) -> View:
    """What the department saw, what it copied, what life made difficult, and what it got wrong, in this order."""
    view = look(scene, spec)
    copy_over(view)
    note_lives(view)
    spoil(view)
    return view


class TruthFile:
    """A Parquet file of the truth, one row group per table given."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def records_table(view: View) -> pa.Table:
    return pa.table(
        {"dataset": _repeated(view.spec.key, len(view)), "record": view.keys, "resident": view.residents.ids().take(pa.array(view.who))}
    )


def patterns_table(view: View) -> pa.Table:
    """Each pattern at each record and column; `record` * where the whole column is so by habit."""
    marks = [_without_repeats(mark) for mark in view.marks]
    tables = [_marks_table(view, mark) for mark in marks] + [_habits_table(view)]
    return pa.concat_tables(tables)


def _without_repeats(mark: Mark) -> Mark:
    return replace(mark, rows=np.unique(mark.rows))


def _marks_table(view: View, mark: Mark) -> pa.Table:
    whole = len(mark.rows) == len(view) and mark.pattern == "X-19"
    records = words(["*"]) if whole else view.keys.take(pa.array(mark.rows))
    return _patterns(view, records, mark.pattern, mark.column)


def _habits_table(view: View) -> pa.Table:
    """Code tables of the department's own: X-12 for sex, X-14 for all others."""
    kinds = [(("X-12" if c.element == "sex" else "X-14"), c.name) for c in view.spec.columns if c.codes]
    parts = [_patterns(view, words(["*"]), pattern, column) for pattern, column in kinds if view.wants(pattern)]
    return pa.concat_tables([_patterns(view, words([]), "", ""), *parts])


def _patterns(view: View, records: Texts, pattern: str, column: str) -> pa.Table:
    count = len(records)
    columns = {"dataset": view.spec.key, "pattern": pattern, "column": column}
    texts = {name: _repeated(value, count) for name, value in columns.items()}
    return pa.table({"dataset": texts["dataset"], "record": records, "pattern": texts["pattern"], "column": texts["column"]})


def _repeated(word: str, count: int) -> Texts:
    return pick(words([word]), np.zeros(count, np.int64))

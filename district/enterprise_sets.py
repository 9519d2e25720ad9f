"""What four departments hold of the enterprises (工商、质检、税务、人社), with the dirt of each, and whose each record is.

What is wrong where is kept as `enterprise_patterns`: code_empty, code_typo, code_old (a former number in its place), code_cut, code_head
(a branch shows its company's), name_variant, name_typo, former_name, former_address, former_representative, listed_twice.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from district.addresses import SPELLINGS, spell
from district.areas import Areas
from district.enterprise_population import BRANCH, REGION, Enterprises, printed
from district.person_sets import Column, Form
from district.plan import Plan
from district.texts import Numbers, Texts, dates, join, numbered, patched, pick, words
from district.yaml_files import read_yaml

NO_ROOM_SHARE = 0.06
_PATTERN_OF_CODE = {"registration": "code_old", "organisation": "code_old", "tax": "code_old"}


@dataclass(frozen=True, kw_only=True)
class EnterpriseSet:
    """One data set: whom it covers (company, branch, trader), how far it is behind, and its habits; see `enterprise_sets.yaml`."""

    key: str
    department: str
    title: str
    form: Form
    covers: tuple[float, ...]
    lag: float
    twice: float
    spelling: str
    dates: str
    codes: Mapping[str, float]
    names: Mapping[str, float]
    columns: tuple[Column, ...]
    knows_former_names: float = 0.0
    source_of_record: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        return f"sources/{self.department}/{self.key}"


@dataclass(frozen=True, kw_only=True, eq=False)
class EnterpriseView:
    """The rows of one data set: its columns by header, the enterprise of each row, and where which pattern stands."""

    spec: EnterpriseSet
    columns: Mapping[str, Texts]
    keys: Texts
    who: Numbers
    patterns: Mapping[str, Numbers]

    def records_table(self, population: Enterprises) -> pa.Table:
        """truth/enterprise_records.parquet."""
        dataset = _repeated(self.spec.key, len(self.who))
        return pa.table({"dataset": dataset, "record": self.keys, "enterprise": population.ids().take(pa.array(self.who))})

    def patterns_table(self) -> pa.Table:
        """truth/enterprise_patterns.parquet."""
        return pa.concat_tables([self._pattern(name, rows) for name, rows in {"": np.empty(0, np.int64), **self.patterns}.items()])

    def _pattern(self, name: str, rows: Numbers) -> pa.Table:
        texts = [_repeated(word, len(rows)) for word in (self.spec.key, name)]
        return pa.table({"dataset": texts[0], "record": self.keys.take(pa.array(rows)), "pattern": texts[1]})


@cache
def load_enterprise_sets() -> Mapping[str, EnterpriseSet]:
    rows = read_yaml(Path(__file__).parent / "enterprise_sets.yaml")
    return {key: _enterprise_set(key, row) for key, row in rows.items()}


def look_at_enterprises(plan: Plan, areas: Areas, population: Enterprises, spec: EnterpriseSet) -> EnterpriseView:
    """What the department saw and got wrong."""
    rng = plan.rng("enterprise set", spec.key)
    who, again = _rows(rng, population, spec)
    known = _Known(rng=rng, spec=spec, population=population, who=who, areas=areas, patterns={"listed_twice": again})
    made = {maker: make(known) for maker, make in _MAKERS.items() if maker in {c.of for c in spec.columns}}
    keys = join(f"{spec.key[:2].upper()}", numbered(10_000_000 + np.arange(len(who)) * 7, 8))
    made["key"] = keys
    patterns = {name: np.unique(rows) for name, rows in known.patterns.items() if len(rows)}
    return EnterpriseView(
        spec=spec, columns={c.header: made[c.of or ""] for c in spec.columns}, keys=keys, who=who, patterns=dict(sorted(patterns.items()))
    )


def _enterprise_set(key: str, row: Mapping[str, Any]) -> EnterpriseSet:
    columns = tuple(Column(name=name, header=header, element=element, of=of) for name, header, element, of in row["columns"])
    plain = {name: value for name, value in row.items() if name not in ("columns", "form", "covers", "source_of_record")}
    return EnterpriseSet(
        key=key,
        columns=columns,
        form=Form(**row["form"]),
        covers=tuple(row["covers"]),
        source_of_record=tuple(row.get("source_of_record", ())),
        **plain,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Known:
    """What the makers of one data set's columns share; they note in `patterns` what they got wrong."""

    rng: np.random.Generator
    spec: EnterpriseSet
    population: Enterprises
    who: Numbers
    areas: Areas
    patterns: dict[str, Numbers]

    def of(self, facts: Texts) -> Texts:
        return facts.take(pa.array(self.who))

    def drawn(self, shares: Mapping[str, float]) -> Iterator[tuple[str, Numbers]]:
        """Each habit with the rows that it falls on; no row has two."""
        draw, start = self.rng.random(len(self.who)), 0.0
        for habit, share in shares.items():
            yield habit, np.flatnonzero((draw >= start) & (draw < start + share))
            start += share

    def behind(self, pattern: str, now: Texts, before: Texts) -> Texts:
        """What the department says: of a change that it has not heard of, what held before."""
        changed = pc.not_equal(self.of(now), self.of(before)).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(changed & (self.rng.random(len(self.who)) < self.spec.lag))
        self.note(pattern, rows)
        return patched(self.of(now), rows, self.of(before).take(pa.array(rows)))

    def note(self, pattern: str, rows: Numbers) -> None:
        self.patterns[pattern] = np.concatenate([self.patterns.get(pattern, np.empty(0, np.int64)), rows])


def _rows(rng: np.random.Generator, population: Enterprises, spec: EnterpriseSet) -> tuple[Numbers, Numbers]:
    """The enterprise of each row, in the department's own order; and the rows of those listed a second time."""
    covered = np.flatnonzero(rng.random(len(population)) < np.array(spec.covers)[population.kind])
    again = covered[rng.random(len(covered)) < spec.twice]
    order = rng.permutation(len(covered) + len(again))
    return np.concatenate([covered, again])[order], np.flatnonzero(order >= len(covered))


def _code(known: _Known) -> Texts:
    people, spec = known.population, known.spec
    codes = known.of(people.credit_code)
    for habit, rows in known.drawn(spec.codes):
        hit = rows[people.kind[known.who[rows]] == BRANCH] if habit == "head" else rows
        known.note(_PATTERN_OF_CODE.get(habit, f"code_{habit}"), hit)
        codes = patched(codes, hit, _CODES[habit](known, hit))
    return codes


def _typo(known: _Known, rows: Numbers) -> Texts:
    """One digit of the organisation code is the next one; the check character no longer holds."""
    codes, place = known.of(known.population.credit_code).take(pa.array(rows)), 12
    digit = pc.cast(pc.utf8_slice_codeunits(codes, place, place + 1), pa.int64()).to_numpy()
    return join(pc.utf8_slice_codeunits(codes, 0, place), numbered((digit + 1) % 10), pc.utf8_slice_codeunits(codes, place + 1))


def _head_code(known: _Known, rows: Numbers) -> Texts:
    return known.population.credit_code.take(pa.array(known.population.head[known.who[rows]]))


def _at(facts: Texts, known: _Known, rows: Numbers) -> Texts:
    return known.of(facts).take(pa.array(rows))


_CODES = {
    "registration": lambda known, rows: _at(known.population.registration_number, known, rows),
    "organisation": lambda known, rows: _at(known.population.organisation_code, known, rows),
    "tax": lambda known, rows: join("440698", _at(known.population.organisation_code, known, rows)),
    "typo": _typo,
    "cut": lambda known, rows: join(pc.utf8_slice_codeunits(_at(known.population.credit_code, known, rows), 0, 15), "000"),
    "head": _head_code,
    "empty": lambda known, rows: pa.nulls(len(rows), pa.string()),
}


def _name(known: _Known) -> Texts:
    names = known.behind("former_name", known.population.name, known.population.former_name)
    for habit, rows in known.drawn(known.spec.names):
        right = names.take(pa.array(rows))
        written = _NAMES[habit](right)
        known.note("name_typo" if habit == "typo" else "name_variant", rows[pc.not_equal(right, written).to_numpy(zero_copy_only=False)])
        names = patched(names, rows, written)
    return names


def _mistyped(names: Texts) -> Texts:
    """The second character behind the place is another."""
    at = len(REGION) + 1
    return join(pc.utf8_slice_codeunits(names, 0, at), "鑫", pc.utf8_slice_codeunits(names, at + 1))


_NAMES = {
    "responsible": lambda names: pc.replace_substring(names, "有限公司", "有限责任公司"),
    "short": lambda names: pc.replace_substring(names, REGION, ""),
    "city": lambda names: pc.replace_substring(names, REGION, "佛山市"),
    "brackets": lambda names: join("佛山（南海）", pc.utf8_slice_codeunits(names, len(REGION))),
    "typo": _mistyped,
}


def _former_name(known: _Known) -> Texts:
    """Only of the renamed, and only of some of them."""
    now, before = known.of(known.population.name), known.of(known.population.former_name)
    said = pa.array(known.rng.random(len(known.who)) < known.spec.knows_former_names)
    return pc.if_else(pc.and_(said, pc.not_equal(now, before)), before, pa.scalar(None, pa.string()))


def _representative(known: _Known) -> Texts:
    return known.behind("former_representative", known.population.representative, known.population.former_representative)


def _address(known: _Known) -> Texts:
    people, spelling = known.population, SPELLINGS[known.spec.spelling]
    roomless = np.flatnonzero(known.rng.random(len(people)) < NO_ROOM_SHARE)
    now, before = people.address, people.former_address
    now = replace(now, room=np.where(np.isin(np.arange(len(people)), roomless), 0, now.room))
    return known.behind("former_address", spell(known.areas, now, spelling), spell(known.areas, before, spelling))


_MAKERS = {
    "code": _code,
    "registration": lambda known: known.of(known.population.registration_number),
    "organisation": lambda known: printed(known.of(known.population.organisation_code)),
    "name": _name,
    "former_name": _former_name,
    "representative": _representative,
    "address": _address,
    "established": lambda known: dates(known.population.established[known.who], known.spec.dates),
}


def _repeated(word: str, count: int) -> Texts:
    return pick(words([word]), np.zeros(count, np.int64))

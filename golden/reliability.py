"""How far each source is believed about each element: learnt once from the population, kept with the run, and used until learning is due.

`learn_reliability` looks at a sample of all residents and leaves the relations LEARNT; `models_at_hand` makes of them what `believing`
needs
to weigh the claims about any resident, alone or among all.

Relations made here
  learnt_day(day)                                     the day from which ages are counted: the newest on which anything was observed
  learnt_parameters(element, dataset, parameter, place, p)   the model of an element (`believing.Model`), its arrays laid out flat;
      dataset: null where a parameter is the element's own
  learnt_values(element, place, value)                the vocabulary of elements that have one
  learnt_copies(element, dataset, parent, share)      who takes values over from whom, and how often
  learnt_reliability(element, dataset, age, claims, p, low, high, checked, agreed)
      how often a source is right today, by class of age of its claims (null: over all), with the interval that holds the truth 95 times of
      100; claims: of the sample; checked: how many of them a verified observation tells of, agreed: how many it confirms
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from golden.believing import Claims, Floats, Model, believe
from golden.calibration import reliabilities
from golden.claims import batches, list_claimants, list_claims, list_rules, prior_reliability, spelt_in_ways
from golden.engine import arrow, keep
from golden.learning import Prior, first_model, learn
from golden.sources import RecordSource, claimed_elements
from rules.authority import SurvivorshipRules
from rules.elements import Element

LEARNT: tuple[str, ...] = ("learnt_day", "learnt_parameters", "learnt_values", "learnt_copies", "learnt_reliability")
"""The relations that are learnt from the whole population and kept with the model."""

TAUGHT_PER_SOURCE, CHECKS, JUDGED_PER_SOURCE = 1_500, 6_000, 4_000
"""Of each source so many residents teach, of verified observations CHECKS; of so many of each source it is asked how often it is right."""

ENOUGH_RESIDENTS = 50
"""Of fewer with several claims nothing is learnt: what is believed of a source by its role stands."""

MOST_WORDS, CLAIMS_PER_WORD = 80, 20
"""An element has a vocabulary of its own where it has no more values, each claimed so often on average."""

MOST_ALTERNATIVES, USUAL_ALTERNATIVES = 1_000.0, 100.0
EVENTS_ONLY = 0.005
"""A source that says so rarely that somebody is at a first value holds events only (X-21)."""

WORKERS = 2
_PER_SOURCE = ("errors", "undated", "ages", "copied", "events")
_OF_ELEMENT = ("alternatives", "mistakes", "change", "now", "aged", "before", "first")


def learn_reliability(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules, elements: Sequence[Element] | None = None
) -> None:
    """Make the relations LEARNT from `resident_of`, `records`, `unit_of` and the sources' files. elements: none: all of persons."""
    con.execute("""
        CREATE OR REPLACE TABLE learnt_day AS
        SELECT coalesce(max(day), 0) AS day FROM records WHERE observed_on <= (SELECT max(received_on) FROM sources)""")
    _draw_sample(con)
    list_claimants(con, "sampled")
    asked: list[_Asked] = []
    learnt: list[_Learnt] = []
    for batch in batches(claimed_elements(sources) if elements is None else elements, sources, [0] * len(sources)):
        list_rules(con, batch, sources, rules)
        list_claims(con, batch, sources)
        prepared = [_Asked.of(con, element, eix, sources, rules) for eix, element in enumerate(batch)]
        with ThreadPoolExecutor(WORKERS) as pool:
            learnt += pool.map(_learnt, prepared)
        asked += prepared
    _keep_learnt(con, _as_usual(learnt, asked, rules), [source.dataset for source in sources])


def nothing_learnt(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the relations LEARNT do not stand yet."""
    standing = {row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    return not set(LEARNT) <= standing


def _draw_sample(con: duckdb.DuckDBPyConnection) -> None:
    """sampled(rid, res) and drawn(res, src, teaches): residents by the hash of their number, from each source alike."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE sampled_of AS
        WITH held AS (SELECT DISTINCT res, src FROM resident_of JOIN records USING (rid)),
        sizes AS (SELECT src, count(*) AS n FROM held GROUP BY src)
        SELECT res, src,
          hash(res)::DOUBLE / 18446744073709551616 * n < CASE WHEN verified THEN {CHECKS} ELSE {TAUGHT_PER_SOURCE} END AS teaches
        FROM held JOIN sizes USING (src) JOIN sources USING (src)
        WHERE hash(res)::DOUBLE / 18446744073709551616 * n < CASE WHEN verified THEN {CHECKS} ELSE {JUDGED_PER_SOURCE} END""")
    con.execute("CREATE OR REPLACE TEMP TABLE sampled AS SELECT rid, res FROM resident_of SEMI JOIN sampled_of USING (res)")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """One element before learning. teaches: by claim; judges: by claim, whether its source is judged by it."""

    element: str
    claims: Claims
    teaches: np.ndarray
    judges: np.ndarray
    prior: Prior

    @classmethod
    def of(
        cls, con: duckdb.DuckDBPyConnection, element: Element, eix: int, sources: Sequence[RecordSource], rules: SurvivorshipRules
    ) -> "_Asked":
        words = _vocabulary(con, element, eix)
        claims = claims_of(con, eix, {word: place for place, word in enumerate(words)})
        drawn = arrow(
            con,
            f"""
            SELECT coalesce(t.teaches, false) AS teaches, o.res IS NOT NULL AS judges FROM claims c
            LEFT JOIN (SELECT res, bool_or(teaches) AS teaches FROM sampled_of GROUP BY res) t USING (res)
            LEFT JOIN sampled_of o ON o.res = c.res AND o.src = c.src WHERE eix = {eix} AND latest ORDER BY c.res, c.src""",
        )
        prior = _prior(con, element, eix, sources, rules, words)
        flags = (drawn.column(name).to_numpy(zero_copy_only=False) for name in ("teaches", "judges"))
        teaches, judges = flags
        return cls(element=element.key, claims=claims, teaches=teaches, judges=judges, prior=_with_events(prior, claims))


@dataclass(frozen=True, kw_only=True)
class _Learnt:
    """learnt: whether the element's claims taught anything, or the model says what is believed without."""

    element: str
    model: Model
    learnt: bool
    judged: pa.Table


def claims_of(con: duckdb.DuckDBPyConnection, eix: int, words: Mapping[str, int]) -> Claims:
    """What sources say now about one element of the batch in `claims`; words: the model's vocabulary."""
    keep(con, "spoken_words", pa.table({"said": pa.array(list(words), pa.string()), "word": pa.array(list(words.values()), pa.int64())}))
    word = f"coalesce(word, {max(len(words) - 1, 0)})" if words else "0"
    said = arrow(
        con,
        f"""
        SELECT res, src, age, vid, damaged, {word} AS word, {"coalesce(cohort, 0)" if words else "0"} AS cohort FROM claims
        {"LEFT JOIN spoken_words ON value = said LEFT JOIN cohorts USING (res)" if words else ""}
        WHERE eix = {eix} AND latest ORDER BY res, src""",
    )
    column = {name: said.column(name).to_numpy() for name in ("res", "src", "age", "vid", "word", "cohort")}
    return Claims(
        resident=column["res"].astype(np.int64),
        source=column["src"].astype(np.int64),
        age=column["age"].astype(np.int64),
        value=column["vid"].astype(np.uint64),
        word=column["word"].astype(np.int64),
        cohort=column["cohort"].astype(np.int64),
        damaged=said.column("damaged").to_numpy(zero_copy_only=False).astype(np.bool_),
    )


def _vocabulary(con: duckdb.DuckDBPyConnection, element: Element, eix: int) -> tuple[str, ...]:
    """The values of an element that has few, and '' for all others; none where it has many or is a name."""
    if spelt_in_ways(element):
        return ()
    found = con.execute(
        f"SELECT value, count(*) FROM claims WHERE eix = {eix} GROUP BY value ORDER BY value LIMIT {MOST_WORDS + 1}"
    ).fetchall()
    few = 1 < len(found) <= MOST_WORDS and sum(n for _, n in found) >= CLAIMS_PER_WORD * len(found)
    return (*(value for value, _ in found), "") if few else ()


def _prior(
    con: duckdb.DuckDBPyConnection,
    element: Element,
    eix: int,
    sources: Sequence[RecordSource],
    rules: SurvivorshipRules,
    words: Sequence[str],
) -> Prior:
    found = con.execute(
        f"SELECT sum(n) ** 2 / sum(n * n) FROM (SELECT count(*)::DOUBLE AS n FROM claims WHERE eix = {eix} GROUP BY vid)"
    ).fetchall()[0][0]
    return prior_of(element, sources, rules, words, undated_in(con, eix), min(max(found or 1.0, 1.0), MOST_ALTERNATIVES))


def undated_in(con: duckdb.DuckDBPyConnection, eix: int) -> np.ndarray:
    """By source whether its dates say nothing."""
    return (
        arrow(con, f"SELECT undated FROM standing WHERE eix = {eix} ORDER BY src").column(0).to_numpy(zero_copy_only=False).astype(np.bool_)
    )


def prior_of(
    element: Element,
    sources: Sequence[RecordSource],
    rules: SurvivorshipRules,
    words: Sequence[str],
    undated: np.ndarray,
    alternatives: float,
) -> Prior:
    """What is believed by the roles of sources and the rules of the element."""
    rule = rules.of(element.key)
    return Prior(
        values=tuple(words),
        alternatives=alternatives,
        mistakes=alternatives,
        error=np.array([1 - prior_reliability(source, rule, rules) for source in sources]),
        verified=np.array([source.verified for source in sources]),
        undated=undated,
        half_life_days=rule.half_life_days,
        first=np.array([word in rule.first_values for word in words] or [False]),
        events=np.zeros(len(sources), np.bool_),
    )


def _with_events(prior: Prior, claims: Claims) -> Prior:
    """The sources that hold events only are told by what they never say."""
    if not prior.first.any() or not len(claims):
        return prior
    said = np.bincount(claims.source, minlength=len(prior.error))
    at_first = np.bincount(claims.source, prior.first[claims.word], len(prior.error))
    return replace(prior, events=~prior.verified & (said >= ENOUGH_RESIDENTS) & (at_first <= EVENTS_ONLY * said))


def _learnt(asked: _Asked) -> _Learnt:
    claims = asked.claims.take(asked.teaches)
    _, sizes = np.unique(claims.resident, return_counts=True)
    taught = bool(np.count_nonzero(sizes > 1) >= ENOUGH_RESIDENTS)
    model = learn(claims, asked.prior) if taught else first_model(_untaught(asked.prior))
    return _Learnt(element=asked.element, model=model, learnt=taught, judged=_judged(asked, model))


def _as_usual(learnt: Sequence[_Learnt], asked: Sequence[_Asked], rules: SurvivorshipRules) -> list[_Learnt]:
    """Where an element's own claims teach nothing, its values change as those do that are decided by the same method, and a source errs in
    it as it does in all else.
    """
    usual = _usual_errors([one for one in learnt if one.learnt])
    found = []
    for one, question in zip(learnt, asked, strict=True):
        alike = [o.model.change[-1] for o in learnt if o.learnt and rules.of(o.element).method == rules.of(one.element).method]
        if one.learnt or usual is None:
            found.append(one)
            continue
        model = first_model(replace(_untaught(question.prior), error=usual))
        if alike and rules.of(one.element).half_life_days is not None:
            model = replace(model, change=np.tile(np.mean(alike, axis=0), (len(model.change), 1)))
        found.append(replace(one, model=model, judged=_judged(question, model)))
    return found


def _usual_errors(learnt: Sequence[_Learnt]) -> Floats | None:
    """By source how often it errs on average over the elements that it states, held towards what all do."""
    if not learnt:
        return None
    errors = np.array([_errors(one.model) for one in learnt])
    states = np.array([np.isin(np.arange(errors.shape[1]), one.judged.column("src").to_numpy()) for one in learnt])
    all_do = float(errors[states].mean()) if states.any() else float(errors.mean())
    return np.asarray(((errors * states).sum(axis=0) + all_do) / (states.sum(axis=0) + 1))


def _errors(model: Model) -> Floats:
    """By source how often it errs, staleness aside."""
    if not model.values:
        return 1 - model.errors[:, 0]
    return 1 - np.diagonal(model.errors[:, : len(model.values)], axis1=1, axis2=2) @ model.now


def _untaught(prior: Prior) -> Prior:
    return replace(prior, alternatives=USUAL_ALTERNATIVES, mistakes=USUAL_ALTERNATIVES)


def _judged(asked: _Asked, model: Model) -> pa.Table:
    """(source, age, claims, right, checked, agreed): of the claims by which each source is judged."""
    claims, beliefs = asked.claims, believe(asked.claims, model)
    p = _by_claim(claims, beliefs.resident, beliefs.value, beliefs.p)
    checked, agreed = _checks(asked)
    mine = asked.judges & ~asked.prior.verified[claims.source]
    ages = int(model.seen.shape[1])
    cell = (claims.source * ages + claims.age)[mine]
    sums = {
        name: np.bincount(cell, column[mine].astype(np.float64), len(asked.prior.error) * ages)
        for name, column in (("claims", np.ones(len(claims))), ("right", p), ("checked", checked), ("agreed", agreed))
    }
    there = np.flatnonzero(sums["claims"])
    return pa.table({"src": there // ages, "age": there % ages, **{name: column[there] for name, column in sums.items()}})


def _by_claim(claims: Claims, resident: np.ndarray, value: np.ndarray, p: Floats) -> Floats:
    """The probability of what each claim says; 0 where it was not weighed."""
    order = np.lexsort((value, resident))
    keys = np.rec.fromarrays([resident[order], value[order]])
    asked = np.rec.fromarrays([claims.resident, claims.value.astype(value.dtype)], dtype=keys.dtype)
    place = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
    return np.where(keys[place] == asked, p[order][place], 0.0) if len(keys) else np.zeros(len(claims))


def _checks(asked: _Asked) -> tuple[np.ndarray, np.ndarray]:
    """By claim whether a verified observation tells of the resident, and whether it says the same."""
    claims, verified = asked.claims, asked.prior.verified[asked.claims.source]
    known, first = np.unique(claims.resident[verified], return_index=True)
    if not len(known):
        return np.zeros(len(claims), np.bool_), np.zeros(len(claims), np.bool_)
    place = np.minimum(np.searchsorted(known, claims.resident), len(known) - 1)
    checked = known[place] == claims.resident
    return checked, checked & (claims.value[verified][first][place] == claims.value)


def _keep_learnt(con: duckdb.DuckDBPyConnection, learnt: Sequence[_Learnt], datasets: Sequence[str]) -> None:
    models = [(found.element, found.model) for found in learnt]
    keep(
        con,
        "learnt_parameters",
        pa.concat_tables([_parameters_table([], [], [], np.empty(0)), *(_laid_flat(e, m, datasets) for e, m in models)]),
    )
    words = [(element, place, value) for element, model in models for place, value in enumerate(model.values)]
    keep(con, "learnt_values", _table(words, element=pa.string(), place=pa.int32(), value=pa.string()))
    copies = [
        (element, datasets[child], datasets[int(parent)], round(float(model.copied[child]), 6))
        for element, model in models
        for child, parent in enumerate(model.parent)
        if parent >= 0
    ]
    keep(con, "learnt_copies", _table(copies, element=pa.string(), dataset=pa.string(), parent=pa.string(), share=pa.float64()))
    keep(con, "learnt_reliability", reliabilities([(found.element, found.judged, found.learnt) for found in learnt], datasets))


def _table(rows: Sequence[tuple], **types: pa.DataType) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else ([] for _ in types)
    return pa.table({name: pa.array(list(column), kind) for (name, kind), column in zip(types.items(), columns, strict=True)})


def _laid_flat(element: str, model: Model, datasets: Sequence[str]) -> pa.Table:
    of_sources = [
        _parameters_table([element], [dataset], [name], np.ravel(getattr(model, name)[src]).astype(np.float64))
        for name in _PER_SOURCE
        for src, dataset in enumerate(datasets)
    ]
    return pa.concat_tables(
        [
            *of_sources,
            *(_parameters_table([element], [None], [name], np.ravel(getattr(model, name)).astype(np.float64)) for name in _OF_ELEMENT),
        ]
    )


def _parameters_table(element: Sequence[str], dataset: Sequence[str | None], parameter: Sequence[str], p: Floats) -> pa.Table:
    return pa.table(
        {
            "element": pa.array(list(element) * len(p), pa.string()),
            "dataset": pa.array(list(dataset) * len(p), pa.string()),
            "parameter": pa.array(list(parameter) * len(p), pa.string()),
            "place": pa.array(range(len(p)), pa.int32()),
            "p": pa.array(p, pa.float64()),
        }
    )


def models_at_hand(
    con: duckdb.DuckDBPyConnection, elements: Iterable[Element], sources: Sequence[RecordSource], rules: SurvivorshipRules
) -> list[Model]:
    """The model of each element of a batch, in terms of the sources at hand. What was never learnt is believed by role."""
    return [_recalled(con, element, eix, sources, rules) for eix, element in enumerate(elements)]


def _recalled(
    con: duckdb.DuckDBPyConnection, element: Element, eix: int, sources: Sequence[RecordSource], rules: SurvivorshipRules
) -> Model:
    key = element.key
    words = [r[0] for r in con.execute("SELECT value FROM learnt_values WHERE element = $1 ORDER BY place", [key]).fetchall()]
    rows = con.execute(
        "SELECT dataset, parameter, list(p ORDER BY place) FROM learnt_parameters WHERE element = $1 GROUP BY ALL", [key]
    ).fetchall()
    first = first_model(prior_of(element, sources, rules, words, undated_in(con, eix), USUAL_ALTERNATIVES))
    if not rows:
        return first
    found = {(dataset, parameter): np.array(p) for dataset, parameter, p in rows}
    parents = dict(con.execute("SELECT dataset, parent FROM learnt_copies WHERE element = $1", [key]).fetchall())
    place = {source.dataset: src for src, source in enumerate(sources)}
    per_source = {name: np.array(getattr(first, name)) for name in _PER_SOURCE}
    for (dataset, parameter), p in found.items():
        if dataset in place:
            per_source[parameter][place[dataset]] = p.reshape(per_source[parameter].shape[1:])
    of_element = {
        name: float(found[None, name][0])
        if name in ("alternatives", "mistakes")
        else found[None, name].reshape(getattr(first, name).shape).astype(getattr(first, name).dtype)
        for name in _OF_ELEMENT
    }
    parent = np.array([place.get(parents.get(source.dataset, ""), -1) for source in sources])
    recalled: dict[str, Any] = {"parent": parent, **per_source, **of_element}
    return replace(first, **recalled)

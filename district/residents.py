"""One block of residents with everything that is true of them: the source from which each department's view is taken."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from district.areas import Areas
from district.dwellings import Dwellings, settle
from district.encounters import Encounters, bring_together
from district.enterprises import enterprise_credit_codes
from district.households import Families, found
from district.identities import CITIZEN, FOREIGN, HMT, Identities, issue, kinds_of, patched_pairs
from district.lives import live
from district.names import Names, draw_names
from district.plan import Plan
from district.registers import register_numbers
from district.texts import Numbers, Texts, dates, join, numbered, pick, words
from district.timelines import ALWAYS, Timeline, coded, renewed, steady
from rules.elements import load_elements


@dataclass(frozen=True, kw_only=True)
class Residents:
    """`timelines` by element key; `traits` yes or no by name; `since` is the first day on which any department can have met a resident."""

    plan: Plan
    block: int
    families: Families
    names: Names
    identities: Identities
    dwellings: Dwellings
    encounters: Encounters
    timelines: Mapping[str, Timeline]
    traits: Mapping[str, Numbers]
    since: Numbers

    def __len__(self) -> int:
        return len(self.families)

    def ids(self) -> Texts:
        """Names of the residents in the truth; nothing in any source shows them."""
        return join("T", numbered(self.plan.first_of(self.block) + np.arange(len(self)), 8))


def populate(plan: Plan, block: int, areas: Areas) -> Residents:
    """The residents of one block, always the same for the same plan."""
    families = found(plan, block)
    kind = kinds_of(plan, block, families)
    families, encounters = bring_together(plan, block, families, kind == CITIZEN)
    names = _with_namesakes(draw_names(plan, block, families, kind == FOREIGN), encounters)
    dwellings = settle(plan, block, areas, families, encounters)
    identities = issue(plan, block, families, kind, dwellings.village, encounters)
    lives = live(plan, block, families, dwellings, kind == CITIZEN)
    timelines = {
        **_of_person(families, names, identities),
        **_of_dwellings(dwellings, kind),
        **lives.timelines,
        **_of_kin(families, names, identities, lives.timelines["guardian_phone"]),
        "house_address": dwellings.residence,
        "registered_residence_address": dwellings.residence,
        "employer_credit_code": replace(lives.timelines["employer"], vocabulary=enterprise_credit_codes(plan)),
        **register_numbers(plan, block, families, lives.traits),
    }
    traits = dict(lives.traits) | {"foreign": kind == FOREIGN, "hmt": kind == HMT, "gone": dwellings.left > ALWAYS}
    traits["local"] = traits["local"] & (kind == CITIZEN)
    return Residents(
        plan=plan,
        block=block,
        families=families,
        names=names,
        identities=identities,
        dwellings=dwellings,
        encounters=encounters,
        timelines=timelines,
        traits=traits,
        since=_since(plan, block, families),
    )


def _with_namesakes(names: Names, encounters: Encounters) -> Names:
    full = patched_pairs(patched_pairs(names.full, encounters.neighbours), encounters.namesakes)
    taken = np.concatenate([encounters.neighbours[:, 1], encounters.namesakes[:, 1]])
    renamed = names.renamed_on.copy()
    renamed[taken] = ALWAYS
    rare = names.rare.copy()
    rare[taken] = False
    former = pa.compute.if_else(pa.array(renamed > ALWAYS), names.former, None)
    return replace(names, full=full, former=former, renamed_on=renamed, rare=rare)


def _of_person(families: Families, names: Names, identities: Identities) -> dict[str, Timeline]:
    former = coded(
        names.former,
        np.where(names.renamed_on > ALWAYS, np.arange(len(families)), -1),
        np.full(len(families), -1),
        names.renamed_on,
    )
    return {
        "name": renewed(names.full, pa.compute.coalesce(names.former, names.full), names.renamed_on),
        "former_name": former,
        "sex": coded(words([None, "1", "2"]), families.sex),
        "birth_date": steady(dates(families.birth)),
        "ethnicity": steady(names.ethnicity),
        "id_number": identities.id_number,
        "hmt_permit_number": identities.hmt_permit_number,
        "passport_number": identities.passport_number,
        "permanent_residence_number": identities.permanent_residence_number,
        "nationality": identities.nationality,
    }


def _of_dwellings(dwellings: Dwellings, kind: Numbers) -> dict[str, Timeline]:
    citizens = np.where(kind == CITIZEN, dwellings.hukou.now, -1)
    return {
        "residence_address": dwellings.residence,
        "hukou_address": replace(dwellings.hukou, now=citizens, before=citizens),
        "grid_code": dwellings.grid,
    }


def _of_kin(families: Families, names: Names, identities: Identities, guardian_phone: Timeline) -> dict[str, Timeline]:
    """Parents', spouse's and guardian's names and numbers, as they are now and as they were before they changed."""
    number = identities.id_number
    name = renewed(names.full, pa.compute.coalesce(names.former, names.full), names.renamed_on)
    guardian = np.where(guardian_phone.now >= 0, np.where(families.mother >= 0, families.mother, families.father), -1)
    return {
        "father_id_number": _relatives(number, families.father),
        "mother_id_number": _relatives(number, families.mother),
        "spouse_id_number": _relatives(number, families.spouse),
        "father_name": _relatives(name, families.father),
        "mother_name": _relatives(name, families.mother),
        "spouse_name": _relatives(name, families.spouse),
        "guardian_name": _relatives(name, guardian),
    }


def _relatives(timeline: Timeline, relative: Numbers) -> Timeline:
    known, row = relative >= 0, np.maximum(relative, 0)
    return coded(
        timeline.vocabulary,
        np.where(known, timeline.now[row], -1),
        np.where(known, timeline.before[row], -1),
        np.where(known, timeline.changed[row], ALWAYS),
    )


def _since(plan: Plan, block: int, families: Families) -> Numbers:
    """Locals are known from birth on, migrants since they came, one to twenty years ago."""
    rng = plan.rng("arrivals", block)
    came = plan.day - 90 - (rng.random(len(families)) ** 1.5 * 18 * 365).astype(int)
    return np.maximum(families.birth + 20, np.where(families.local, families.birth + 20, came))


def truth_table(residents: Residents) -> pa.Table:
    """The canonical value of every element (contract.md), one row per resident."""
    elements = {key: timeline.truth() for key, timeline in residents.timelines.items() if key in load_elements()}
    columns = {"resident": residents.ids()} | elements
    return pa.table({key: pick(texts, np.arange(len(texts))) for key, texts in columns.items()})

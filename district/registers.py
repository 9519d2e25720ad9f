"""Numbers and dates that single departments give to the people in their registers: pupils, insured, disabled, drivers …"""

from collections.abc import Mapping

import numpy as np

from district.households import Families
from district.plan import Plan
from district.texts import Numbers, Texts, dates, join, numbered, words
from district.timelines import Timeline, coded

DISABILITIES = ("1", "2", "3", "4", "5", "6", "7")
SCHOOLS = words(
    [
        f"南海区{name}{kind}"
        for kind in ("小学", "中学", "实验学校")
        for name in ("文翰", "石门", "桂江", "灯湖", "平洲", "狮城", "里湖", "樵北", "丹灶", "九江")
    ]
)
CLINICS = words([f"南海区{name}社区卫生服务中心" for name in ("桂城", "狮山", "大沥", "里水", "西樵", "丹灶", "九江")])
NATIVE_PLACES = words(["广东佛山", "广东广州", "广西梧州", "湖南永州", "江西赣州", "四川南充", "广东肇庆", "广东茂名"])


def register_numbers(plan: Plan, block: int, families: Families, traits: Mapping[str, Numbers]) -> dict[str, Timeline]:
    rng, count = plan.rng("registers", block), len(families)
    order = plan.first_of(block) + rng.permutation(count)
    return {
        "student_number": _number(traits["pupil"], "G", order, 9),
        "personal_insurance_number": _number(traits["insured"], "44", order + 60_000_000, 8),
        "social_security_card_number": _number(np.ones(count, bool), "SK", order, 9),
        "medical_insurance_number": _number(np.ones(count, bool), "YB", order, 9),
        "health_record_number": _number(np.ones(count, bool), "440605", order, 11),
        "vaccination_number": _number(traits["infant"] | traits["pupil"], "V", order, 9),
        "fund_account": _number(traits["fund"], "2010", order, 8),
        "birth_certificate_number": _number(traits["newborn"], "U", order, 9),
        "school_name": _one_of(rng, SCHOOLS, traits["pupil"]),
        "clinic_name": _one_of(rng, CLINICS, np.ones(count, bool)),
        "disability_kind": _one_of(rng, words(DISABILITIES), traits["disabled"]),
        "disability_degree": _one_of(rng, words(("1", "2", "3", "4")), traits["disabled"]),
        "native_place": _one_of(rng, NATIVE_PLACES, traits["citizen"]),
        "political_status": coded(words(("13", "01", "03")), np.where(traits["adult"], rng.choice(3, count, p=(0.82, 0.1, 0.08)), -1)),
        "insured_since": _some_day(rng, plan, traits["insured"], 14),
        "fund_opened_on": _some_day(rng, plan, traits["fund"], 10),
        "blood_type": coded(words(("1", "2", "3", "4")), rng.choice(4, count, p=(0.28, 0.24, 0.41, 0.07))),
    }


def _number(holders: Numbers, prefix: str, order: Numbers, width: int) -> Timeline:
    return coded(join(prefix, numbered(order, width)), np.where(holders, np.arange(len(order)), -1))


def _one_of(rng: np.random.Generator, pool: Texts, holders: Numbers) -> Timeline:
    return coded(pool, np.where(holders, rng.integers(len(pool), size=len(holders)), -1))


def _some_day(rng: np.random.Generator, plan: Plan, holders: Numbers, years: float) -> Timeline:
    days = plan.day - 60 - (rng.random(len(holders)) * years * 365).astype(int)
    return coded(dates(days), np.where(holders, np.arange(len(days)), -1))

"""Masking a million rows in six columns, and FF1's own rate, to bench/results/masking.json.

`python -m bench.masking [--rows N]`: a synthetic district of distinct people (no two numbers, ids or phones are equal), in batches as the
door reads them, one process, one thread of ours. The six: name, identity number, phone, address, pseudonym of the resident id, birth year.
"""

import argparse
import json
import os
import time
from datetime import date
from pathlib import Path
from random import Random

import pyarrow as pa

from masking.keyed_hashes import SM3, is_available
from masking.methods import Basis, Mask, RecipientKey, apply
from masking.pseudonyms import recipient_key
from rules.identity_numbers import check_character

RESULTS = Path(__file__).parent / "results" / "masking.json"
ROWS_A_BATCH = 65_536
TODAY = date(2026, 11, 23)
ENCRYPTED_NUMBERS = 50_000
SURNAMES = ("王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "梁", "何", "欧阳", "司徒")
GIVEN = "明丽强伟芳娜敏静秀英华文军平勇杰涛嘉欣子轩梓涵志豪晓婷"
STREETS = ("桂城街道", "狮山镇", "大沥镇", "里水镇", "西樵镇", "丹灶镇", "九江镇")
COMMUNITIES = ("夏北社区", "联和社区", "基隆村", "")
MASKS = {
    "name": Mask(method="partial_name"),
    "id_number": Mask(method="partial_number", first=1, last=1),
    "phone": Mask(method="partial_phone"),
    "residence_address": Mask(method="address_to_community"),
    "resident_id": Mask(method="pseudonym"),
    "birth_date": Mask(method="year"),
}
OTHERS = {"birth_date": Mask(method="age_band"), "wage": Mask(method="noise")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    load = round(os.getloadavg()[0], 1)
    columns = people(rows)
    key = recipient_key(os.urandom(32), "civil_affairs", "1")
    seconds = {name: timed(mask, columns[name], key) for name, mask in MASKS.items()}
    found = {
        "rows": rows,
        "load_average_before": load,
        "seconds": round(sum(seconds.values()), 2),
        "by_column": {f"{name}: {MASKS[name]}": round(took, 2) for name, took in seconds.items()},
        "other_masks_seconds": {f"{name}: {mask}": round(timed(mask, columns[name], key), 2) for name, mask in OTHERS.items()},
        "pseudonyms_by_sm3_seconds": sm3_seconds(columns["resident_id"]),
        "ff1_identity_numbers_a_second": ff1_rate(columns["id_number"], key),
    }
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def people(rows: int) -> dict[str, list[pa.Array]]:
    chance = Random(1)
    days = [date.fromordinal(chance.randrange(date(1930, 1, 1).toordinal(), TODAY.toordinal())) for _ in range(rows)]
    numbers = (f"440605{day:%Y%m%d}{chance.randrange(1_000):03}" for day in days)
    columns = {
        "name": ["".join((chance.choice(SURNAMES), *chance.choices(GIVEN, k=chance.choice((1, 2, 2))))) for _ in range(rows)],
        "id_number": [number + check_character(number) for number in numbers],
        "phone": [f"1{3 + number % 7}{number:09}" for number in range(rows)],
        "residence_address": [address(chance) for _ in range(rows)],
        "resident_id": [f"R{number:010}" for number in range(rows)],
        "birth_date": [day.isoformat() for day in days],
        "wage": [f"{chance.randrange(2_000, 30_000)}.00" for _ in range(rows)],
    }
    return {name: in_batches(values) for name, values in columns.items()}


def address(chance: Random) -> str:
    where = f"广东省佛山市南海区{chance.choice(STREETS)}{chance.choice(COMMUNITIES)}"
    return f"{where}南海大道{chance.randrange(400)}号天湖郦都{chance.randrange(30)}栋{chance.randrange(3_000)}室"


def in_batches(values: list[str]) -> list[pa.Array]:
    return [pa.array(values[first : first + ROWS_A_BATCH]) for first in range(0, len(values), ROWS_A_BATCH)]


def timed(mask: Mask, batches: list[pa.Array], key: RecipientKey) -> float:
    basis = Basis(key=key, today=TODAY, column="x")
    begun = time.perf_counter()
    for batch in batches:
        apply(mask, batch, basis)
    return time.perf_counter() - begun


def sm3_seconds(ids: list[pa.Array]) -> float | None:
    """None where this build has no SM3."""
    if not is_available(SM3):
        return None
    return round(timed(MASKS["resident_id"], ids, recipient_key(os.urandom(32), "civil_affairs", "1", SM3)), 2)


def ff1_rate(numbers: list[pa.Array], key: RecipientKey) -> int:
    some = pa.concat_arrays(numbers)[:ENCRYPTED_NUMBERS]
    return round(len(some.unique()) / timed(Mask(method="encrypted_number"), [some], key))


if __name__ == "__main__":
    main()

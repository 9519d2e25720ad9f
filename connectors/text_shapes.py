"""Elements of free text whose values have a shape of their own: organisations, towns, plates, coordinates … by element key."""

import re
from collections.abc import Mapping

_ORGANISATION = re.compile(
    r".{2,}(公司|厂|店|部|中心|合作社|学校|小学|中学|幼儿园|医院|诊所|卫生院|卫生站|局|所|院|馆|会|站|社|行|处|队|办|商行|超市|集团|场|园|经联社|村委会|居委会|大学|学院|银行|酒店|餐厅|公寓)"
    r"([（(].{1,12}[)）])?"
)
_TOWN = re.compile(r"([\u4e00-\u9fff]{2,6}区)?[\u4e00-\u9fff]{1,6}(街道|街道办|镇|乡)")
_COMMUNITY = re.compile(r"([\u4e00-\u9fff]{1,6}(街道|镇))?[\u4e00-\u9fff]{1,8}(社区|村|居委会|村委会|经联社)")

SHAPES: Mapping[str, re.Pattern[str]] = {
    "enterprise_name": _ORGANISATION,
    "employer": _ORGANISATION,
    "town_name": _TOWN,
    "community_name": _COMMUNITY,
    "area_code": re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}"),
    "vehicle_plate": re.compile(r"[\u4e00-\u9fff][A-Z][·\s]?[A-Z0-9]{4,6}[A-Z0-9\u4e00-\u9fff]"),
    "vehicle_vin": re.compile(r"[A-HJ-NPR-Z0-9]{17}"),
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]+"),
    "postcode": re.compile(r"\d{6}"),
    "measure_period": re.compile(r"(19|20)\d{2}[-年/.]?((0?[1-9]|1[0-2])月?|(第?[一二三四1-4]季度)|Q[1-4])?(年|度)*"),
    "longitude": re.compile(r"(7[3-9]|[89]\d|1[0-2]\d|13[0-5])\.\d{3,}"),
    "latitude": re.compile(r"([4-9]|[1-4]\d|5[0-3])\.\d{3,}"),
}

TELLING = ("credit_code", "longitude", "latitude", "vehicle_plate", "email", "town_name", "enterprise_name")
"""Those whose values say what they are under almost any header, the surest first."""

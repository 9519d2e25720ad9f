"""Documents other than the citizen's number (law.md D-12…D-18) and credit codes (D-32)."""

import pytest

from rules.credit_codes import check_character, organisation_check_character
from tests.rules.columns import row


@pytest.mark.parametrize(
    ("element", "text", "value"),
    [
        ("hmt_permit_number", "H1234567801", "H12345678"),
        ("hmt_permit_number", "m12345678", "M12345678"),
        ("hmt_permit_number", "12345678", "12345678"),
        ("hmt_permit_number", "1234567890(B)", "1234567890"),
        ("hmt_permit_number", "810000199001010019", "810000199001010019"),
        ("hk_macau_pass_number", "C12345678", "C12345678"),
        ("hk_macau_pass_number", "CA1234567", "CA1234567"),
        ("passport_number", "e 1234 5678", "E12345678"),
        ("passport_number", "EA1234567", "EA1234567"),
        ("passport_number", "X99000001", "X99000001"),
        ("permanent_residence_number", "USA123456789012", "USA123456789012"),
        ("permanent_residence_number", "944840199001010016", "944840199001010016"),
        ("birth_certificate_number", "T123456789", "T123456789"),
        ("document_number", "11010519491231002x", "11010519491231002X"),
        ("marriage_certificate_number", "J440605-2013-000123", "J440605-2013-000123"),
        ("property_certificate_number", "粤（2021）佛南不动产权第0012345号", "粤(2021)佛南不动产权第0012345号"),
    ],
)
def test_numbers_come_in_their_documents_spelling(element: str, text: str, value: str) -> None:
    assert row(element, text) == (value, None)


@pytest.mark.parametrize(
    ("element", "text"), [("hmt_permit_number", "E12345678"), ("hk_macau_pass_number", "CI1234567"), ("birth_certificate_number", "12345")]
)
def test_another_documents_form_is_noted(element: str, text: str) -> None:
    assert row(element, text) == (text, "DOCUMENT-SHAPE")


@pytest.mark.parametrize("text", ["1.23E+09", "99999999", "张三", "E1"])
def test_what_is_no_document_number_is_void(text: str) -> None:
    assert row("passport_number", text) == (None, "DOCUMENT-MALFORMED")


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_the_standards_credit_codes_hold(code: str) -> None:
    assert row("credit_code", code) == (code, None)
    assert row("credit_code", code.lower().replace("1", "１", 1)) == (code, None)
    assert check_character(code[:17]) == code[17]


@pytest.mark.parametrize("organisation", ["M000100Y4", "D2143569X"])
def test_the_standards_organisation_codes_hold(organisation: str) -> None:
    assert organisation_check_character(organisation[:8]) == organisation[8]


@pytest.mark.parametrize("first", "ANY159")
def test_a_credit_code_may_begin_with_a_letter(first: str) -> None:
    first17 = f"{first}2440605MA4W00000"
    assert row("credit_code", first17 + check_character(first17)) == (first17 + check_character(first17), None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("91350100M000100Y44", "CREDIT-CHECK"),
        ("91350100I000100Y43", "CREDIT-MALFORMED"),
        ("M000100Y-4", "CREDIT-ORGANISATION"),
        ("440682000012345", "CREDIT-REGISTRATION"),
        ("9.13501E+17", "CREDIT-LOST"),
    ],
)
def test_what_is_no_credit_code_is_void_with_its_own_fault(text: str, fault: str) -> None:
    assert row("credit_code", text) == (None, fault)

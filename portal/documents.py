"""The JSON documents of the interface, as OpenAPI describes them: what is asked, what is told, how a fault looks."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from access.case_look_up import MOST_GRANTS, MOST_PERSONS
from access.inquiries import LEAST_ATTRIBUTES, MAX_CASE_NUMBER_CHARACTERS, MOST_ATTRIBUTES

MAX_VALUE_CHARACTERS = 60
MAX_KEY_CHARACTERS = 200
MAX_PASSWORD_CHARACTERS = 256
MAX_ATTRIBUTE_CHARACTERS = 300
VALUES_TOLD = (
    "数据项及其值，已按授权脱敏；授权要求标明存疑值时，另有 disputed 一项。"
    "The granted columns, masked as the grant says; where it has disputed values marked, `disputed` names them."
)


class Asked(BaseModel):
    """No field beyond those that are described: what is misspelt is refused, not passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


By = Annotated[
    Literal[
        "id_number",
        "resident_id",
        "document_number",
        "passport_number",
        "hmt_permit_number",
        "permanent_residence_number",
        "residence_permit_number",
        "hk_macau_pass_number",
        "birth_certificate_number",
    ],
    Field(description="标识：证件类型或居民标识。By what the resident is named."),
]
Value = Annotated[str, Field(min_length=1, max_length=MAX_VALUE_CHARACTERS, repr=False, description="号码。The number.")]
Number = Annotated[str, Field(min_length=1, max_length=MAX_VALUE_CHARACTERS)]
GrantNumber = Annotated[int, Field(ge=1, le=2**31 - 1, description="授权号。The grant to ask under.")]
CaseNumber = Annotated[
    str, Field(max_length=MAX_CASE_NUMBER_CHARACTERS, description="办件号。The case number; needed if the grant is for one.")
]


class LookUpAsked(Asked):
    """信息查询：一名居民的授权数据项。A look-up of one resident."""

    grant: GrantNumber
    by: By
    value: Value
    case_number: CaseNumber = ""


class VerificationAsked(Asked):
    """数据核验：所列各项是否属于此人。除标识外至少两项。Do these values belong to this person; at least two beside the number."""

    grant: GrantNumber
    by: By
    value: Value
    attributes: Annotated[
        dict[str, Annotated[str, Field(min_length=1, max_length=MAX_ATTRIBUTE_CHARACTERS)]],
        Field(
            min_length=LEAST_ATTRIBUTES,
            max_length=MOST_ATTRIBUTES,
            description="数据项与所报的值。Columns and the values that were stated.",
        ),
    ]
    case_number: CaseNumber = ""


class NamedAsked(Asked):
    """A person of a question of kinship; number and name must both be theirs."""

    by: By = "id_number"
    value: Value
    name: Annotated[str, Field(min_length=1, max_length=MAX_ATTRIBUTE_CHARACTERS, repr=False)]


class KinshipAsked(Asked):
    """亲属关系核验：parent 是否为 child 的父亲或母亲。Is the one the father or mother of the other."""

    grant: GrantNumber
    parent: NamedAsked
    child: NamedAsked
    case_number: CaseNumber = ""


class RecordAsked(Asked):
    """记录查询：数据集中一条记录，按其主键。One record of a registered data set, by its key."""

    grant: GrantNumber
    key: Annotated[str, Field(min_length=1, max_length=MAX_KEY_CHARACTERS, repr=False, description="记录主键。The record's key.")]
    case_number: CaseNumber = ""


class CaseAsked(Asked):
    """办案查询：各授权的数据对一个办件中各人的记载。What the data under several grants say of the persons of one case."""

    grants: Annotated[
        list[GrantNumber], Field(min_length=1, max_length=MOST_GRANTS, description="授权号，均须为此办件。All for this case.")
    ]
    case_number: Annotated[str, Field(min_length=1, max_length=MAX_CASE_NUMBER_CHARACTERS, description="办件号。The case number.")]
    persons: Annotated[list[Number], Field(min_length=1, max_length=MOST_PERSONS, repr=False, description="证件号。Identity numbers.")]


class CasePart(BaseModel):
    """一项授权的数据中此人的各行。The person's rows under one grant."""

    grant: int
    target: str
    rows: list[dict[str, str | None]] = Field(description=VALUES_TOLD)


class CasePerson(BaseModel):
    """查无此人、不在授权范围内，答复相同。Who is not there and who is outside every scope are told of alike."""

    id_number: str
    found: bool
    data: list[CasePart]


class CaseTold(BaseModel):
    case_number: str
    persons: list[CasePerson]


class VerdictTold(BaseModel):
    """一致、不一致、无法判断；从不说明哪一项不一致。Yes, no, or not known; never which one differs."""

    verdict: Literal["yes", "no", "not_known"]


class LookUpTold(BaseModel):
    """查无此人、不在授权范围内、或一号多人，答复相同。Who is not there, outside the row scope, or shares a number is told of alike."""

    found: bool
    values: dict[str, str | None] | None = Field(description=VALUES_TOLD)


class _Answered(BaseModel):
    record: int = Field(description="日志中结果记录的序号。The index of the RESULT record in the audit log.")
    digest: str = Field(description="`answer` 各字节的 SHA-256。SHA-256 of the bytes of `answer` as they stand in the body.")


class LookUpAnswered(_Answered):
    answer: LookUpTold


class CaseAnswered(_Answered):
    answer: CaseTold


Account = Annotated[str, Field(min_length=1, max_length=120, description="账号。The account.")]
Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD_CHARACTERS, repr=False, description="口令。The password.")]


class SignInAsked(Asked):
    """登录。To sign in."""

    account: Account
    password: Password


class SessionOpened(BaseModel):
    token: str = Field(repr=False, description="会话令牌，用作 Bearer。The session's token, to be sent as Bearer.")
    expires_at: datetime


class ProofAsked(Asked):
    """再次验证身份。The second proof."""

    password: Password


class ProofTold(BaseModel):
    until: datetime = Field(description="明文可得至此时。Until then the session is good for plaintext.")


class PasswordChosen(Asked):
    """设置本人口令。To choose one's own password."""

    account: Account
    old: Password
    new: Password


class VerdictAnswered(_Answered):
    answer: VerdictTold


class Fault(BaseModel):
    """出错时的答复。What an answer is when something is wrong; it repeats nothing of what was asked."""

    code: str = Field(description="稳定的错误代码。A stable code.")
    zh: str
    en: str
    next_zh: str
    next_en: str
    retry: bool = Field(description="原样重试是否可能成功。Whether the same call can succeed later.")
    where: str = Field(description="所涉字段。The fields concerned.")
    detail: str


FAULTS: dict[int | str, dict[str, Any]] = {
    401: {"model": Fault, "description": "密钥无效。The key is none, or no longer one."},
    403: {"model": Fault, "description": "不予提供；不存在的授权与他人的授权答复相同。Denied; another's grant and none are denied alike."},
    413: {"model": Fault, "description": "请求过长。The question is too long."},
    422: {"model": Fault, "description": "查询内容不合要求。The question is not well formed."},
    429: {"model": Fault, "description": "次数已达限额。A limit is reached."},
    500: {"model": Fault, "description": "平台故障。A fault of the platform."},
    503: {"model": Fault, "description": "暂不能答复。No answer can be given for now."},
}

"""The server of a contract: from which file or database a data set comes, without a secret in sight."""

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from catalog.contracts.findings import Findings
from catalog.contracts.parts import Custom, items, mapping, read_custom, text
from catalog.datasets import Server
from catalog.terms import SERVER

FORMATS: Mapping[str, str] = {
    **dict.fromkeys(("csv", "tsv", "txt"), "csv"),
    **dict.fromkeys(("xlsx", "xls"), "xlsx"),
    "parquet": "parquet",
    **dict.fromkeys(("json", "jsonl", "ndjson"), "json"),
}
DRIVERS: Mapping[str, str] = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "sqlserver": "mssql+pyodbc",
    "oracle": "oracle+oracledb",
}
FROM_ENVIRONMENT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_PARAMETER = re.compile(r"pass|pwd|secret|token|apikey|api_key|credential", re.IGNORECASE)
_SECRET_IN_TEXT = re.compile(r"(?:pwd|password)\s*=\s*([^;]*)", re.IGNORECASE)
_STAND_IN = "9" * 12
"""Stands for an environment variable while a URL is taken apart: digits, because a port may come from one."""
_DELIMITERS: Mapping[str, str] = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "\\t": "\t"}


def read_server(document: Mapping[str, Any], base: Path, findings: Findings) -> Server | None:
    """The first server of the contract; None when a fault was found or there is none."""
    servers = items(document.get("servers"))
    if not servers:
        findings.fault("CON-SERVER", "/servers")
        return None
    if len(servers) > 1:
        findings.warn("CON-SERVER-MORE", "/servers/1")
    before = len(findings.faults)
    server = _read(mapping(servers[0]), base, _object_name(document), findings)
    return server if len(findings.faults) == before else None


def _read(part: Mapping[str, Any], base: Path, physical_name: str, findings: Findings) -> Server | None:
    kind, custom = text(part.get("type")), read_custom(part, SERVER, "/servers/0", findings)
    if kind == "local":
        return _local(part, custom, base, findings)
    if kind in DRIVERS:
        return _database(kind, part, custom, base, physical_name, findings)
    if kind == "custom":
        return _custom(custom, base, findings)
    if kind:
        findings.fault("CON-SERVER-TYPE", "/servers/0/type", f"{kind[:40]}; local | {' | '.join(DRIVERS)} | custom")
    return None


def _local(part: Mapping[str, Any], custom: Custom, base: Path, findings: Findings) -> Server:
    path, given = text(part.get("path")), text(part.get("format")).lower()
    if isinstance(part.get("path"), str) and not path:
        findings.fault("CON-SERVER-PATH", "/servers/0/path")
    if given not in FORMATS and isinstance(part.get("format"), str):
        findings.fault("CON-FORMAT", "/servers/0/format", f"{given[:40]}; csv | xlsx | parquet | json")
    return Server(
        type="local",
        base=str(base),
        path=path,
        format=FORMATS.get(given),
        encoding=_encoding(part, custom, findings),
        delimiter=_delimiter(custom, findings),
        header_row=_header_row(custom, findings),
        sheet=custom.get("sheet"),
    )


def _database(kind: str, part: Mapping[str, Any], custom: Custom, base: Path, physical_name: str, findings: Findings) -> Server | None:
    _check_password(custom, findings)
    table, query = custom.get("table"), custom.get("query")
    if table is None and query is None:
        table = physical_name or None
    _check_table_or_query(table, query, custom, findings)
    if "@" in text(part.get("host")):
        findings.fault("CON-URL", "/servers/0/host", "host")
        return None
    url = _standard_url(kind, part, custom)
    return Server(type=kind, base=str(base), url=url, schema=text(part.get("schema")) or None, table=table, query=query)


def _custom(custom: Custom, base: Path, findings: Findings) -> Server | None:
    url = custom.get("url")
    _check_table_or_query(custom.get("table"), custom.get("query"), custom, findings)
    if url is None:
        if not custom.declares("url"):
            findings.fault("CON-URL-MISSING", custom.place("url"))
        return None
    _check_url(url, custom.place("url"), findings)
    return Server(type="custom", base=str(base), url=_anchored(url, base), table=custom.get("table"), query=custom.get("query"))


def _standard_url(kind: str, part: Mapping[str, Any], custom: Custom) -> str:
    """A SQLAlchemy URL from the standard's fields; environment variables stay as they are written."""
    who = (custom.get("user") or "") + (f":{custom.get('password')}" if custom.get("password") else "")
    port = f":{part['port']}" if part.get("port") else ""
    place = f"{who}@{text(part.get('host'))}" if who else text(part.get("host"))
    if kind == "oracle":
        return f"{DRIVERS[kind]}://{place}{port}/?service_name={text(part.get('serviceName'))}"
    return f"{DRIVERS[kind]}://{place}{port}/{text(part.get('database'))}"


def _check_password(custom: Custom, findings: Findings) -> None:
    if (password := custom.get("password")) is not None and not FROM_ENVIRONMENT.fullmatch(password):
        findings.fault("CON-SECRET", custom.place("password"), "password = ${…}")


def _check_url(url: str, where: str, findings: Findings) -> None:
    if FROM_ENVIRONMENT.fullmatch(url):
        return
    try:
        parsed = make_url(FROM_ENVIRONMENT.sub(_STAND_IN, url))
        parsed.get_dialect()
    except (sa.exc.NoSuchModuleError, ImportError):
        findings.fault("CON-URL-DRIVER", where, parsed.drivername[:40])
    except (sa.exc.ArgumentError, ValueError):
        findings.fault("CON-URL", where, "url")
    else:
        _check_secrets(parsed, where, findings)


def _check_secrets(url: URL, where: str, findings: Findings) -> None:
    if url.password and str(url.password) != _STAND_IN:
        findings.fault("CON-SECRET", where, "url: password")
    for name, given in url.query.items():
        values = [given] if isinstance(given, str) else list(given)
        secrets = [v for v in values if _SECRET_PARAMETER.search(name)] + [s for v in values for s in _SECRET_IN_TEXT.findall(v)]
        if any(secret.strip() != _STAND_IN for secret in secrets):
            findings.fault("CON-SECRET", where, f"url: {name[:40]}")


def _anchored(url: str, base: Path) -> str:
    """The path of a SQLite file is relative to the contract, as other paths are."""
    driver, mark, path = url.partition(":///")
    if not driver.startswith("sqlite") or not mark or not path or path.startswith(("/", ":memory:", "file:", "${")):
        return url
    return f"{driver}:///{base / path}"


def _check_table_or_query(table: str | None, query: str | None, custom: Custom, findings: Findings) -> None:
    if (table is None) == (query is None):
        findings.fault("CON-TABLE", custom.place("query"), "table | query")
    if query is not None and not re.match(r"\s*(select|with)\b", query, re.IGNORECASE):
        findings.fault("CON-QUERY", custom.place("query"))


def _encoding(part: Mapping[str, Any], custom: Custom, findings: Findings) -> str | None:
    given = text(part.get("encoding")) or custom.get("encoding")
    if given:
        try:
            codecs.lookup(given)
        except LookupError:
            findings.fault("CON-SOURCE-ENCODING", "/servers/0/encoding" if part.get("encoding") else custom.place("encoding"), given[:40])
    return given or None


def _delimiter(custom: Custom, findings: Findings) -> str | None:
    if (given := custom.get("delimiter")) is None:
        return None
    found: str = _DELIMITERS.get(given.lower(), given)
    if len(found) != 1 or found.isalnum():
        findings.fault("CON-DELIMITER", custom.place("delimiter"), given[:10])
    return found


def _header_row(custom: Custom, findings: Findings) -> int | None:
    if (given := custom.get("headerRow")) is None:
        return None
    if given < 1 or given != int(given):
        findings.fault("CON-HEADER-ROW", custom.place("headerRow"), str(given))
    return int(given)


def _object_name(document: Mapping[str, Any]) -> str:
    """The table's name where the server has none: the physical name of the schema object, or its name."""
    objects = items(document.get("schema"))
    first = mapping(objects[0]) if objects else {}
    return text(first.get("physicalName")) or text(first.get("name"))

"""Commands of accounts, from making a key to revoking it."""

from tests.cli.conftest import Command


def test_a_key_needs_a_grant_of_its_department(tongchou: Command) -> None:
    assert tongchou("init").code == 0
    assert tongchou("grant", "account", "lin", "--title", "救助科", "--department", "民政局", "--role", "department_requester").code == 0
    wrong = tongchou("account", "key", "lin", "--title", "救助系统", "--act", "extract", "--grant", "1")
    assert wrong.code == 2 and "KEY-TERMS" in wrong.err
    assert tongchou("account", "keys", "--json").json() == []
    assert tongchou("account", "revoke-key", "1", "--why", "下线").code == 4

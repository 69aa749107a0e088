"""`shunt accounts --custody`."""

from __future__ import annotations

from tests.cli.desk import KEY, REFRESH, Desk


def test_a_shared_login_is_named_with_the_way_out(desk: Desk) -> None:
    """Who holds it, where, and the command that ends it; keys are not the matter here."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    shown = desk.run("accounts", "--custody").stdout
    assert "main: shared with 1 other program" in shown
    assert str(desk.user / ".claude" / ".credentials.json") in shown
    assert "shunt add-account main --login" in shown
    assert "key" not in shown
    (account,) = desk.document("accounts", "--custody")["accounts"]
    assert account["alone"] is False
    assert account["holders"][0]["program"] == "Claude Code"


def test_a_login_of_ones_own_is_told(desk: Desk) -> None:
    """Also when the other program has logged in anew since."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.log_in(refresh=f"{REFRESH}-2", account="acc-2")
    (desk.user / ".claude" / ".credentials.json").unlink()
    assert "has another login now" in desk.run("accounts", "--custody").stdout
    assert desk.document("accounts", "--custody")["accounts"][0]["alone"] is True


def test_without_logins_there_is_nothing_to_tell(desk: Desk) -> None:
    """And another machine's files are out of reach."""
    assert "lives on a login" in desk.run("accounts", "--custody").stderr
    assert desk.run("accounts", "--custody", "--url", "http://127.0.0.1:1").exit_code == 2

"""What goes into a bug report, and what is taken out."""

from __future__ import annotations

from shunt import __version__
from shunt.cli.bundle import known_secrets, scrubber, versions
from shunt.cli.files import Files
from shunt.cli.invocation import Invocation
from shunt.store.locations import locate
from tests.cli.desk import T0, Desk, never


def files(desk: Desk, **environ: str) -> Files:
    whole = {"HOME": str(desk.user), "SHUNT_HOME": str(desk.home), **environ}
    return Files(Invocation(whole, lambda: T0, never), locate(whole))


def test_versions_say_what_runs() -> None:
    """Of shunt, Python and the libraries that matter."""
    told = versions()
    assert told["shunt"] == __version__
    assert told["libraries"]["trio"] != "not known"


def test_secrets_of_the_environment_are_known_by_their_names(desk: Desk) -> None:
    """Also those that nothing in the configuration points at."""
    found = known_secrets(
        files(desk, MY_TOKEN="obviously-fake-1", DB_PASSWORD="obviously-fake-2", EDITOR="vi")
    )
    assert found == {"obviously-fake-1", "obviously-fake-2"}


def test_what_is_configured_is_known(desk: Desk) -> None:
    """Keys, and the values of extra headers."""
    desk.write_config(
        '[server]\nremote_key = "obviously-fake-3"\n[[accounts]]\nname = "a"\nprovider = "openai"\n'
        'api_key = "obviously-fake-4"\nheaders = { "x-a" = "obviously-fake-5" }\n'
    )
    assert known_secrets(files(desk)) >= {"obviously-fake-3", "obviously-fake-4", "obviously-fake-5"}


def test_people_are_taken_out_as_well(desk: Desk) -> None:
    """Their addresses, and the home folder that is named after them."""
    scrub = scrubber(files(desk, A_KEY="obviously-fake-key"))
    told = scrub(f"obviously-fake-key {desk.user}/x person.one@mail.example.org sk-ant-obviously-fake")
    assert told == "*** ~/x (e-mail) ***"

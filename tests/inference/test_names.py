"""Names and ids that fit everywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Text, ToolCall, ToolReference, ToolResult
from shunt.inference.names import (
    MESSAGES_LONGEST,
    OPENAI_LONGEST,
    Name,
    distinct_id,
    fitted,
    original_names,
    wire_id,
    wire_names,
)
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice

LONG = "mcp__a_rather_long_server_name__" + "do_something_useful_with_the_repository_" + "alpha"
NAMES = st.tuples(
    st.sampled_from(["", "", "ns", "a", "a__b", "ns/x"]),
    st.sampled_from(
        ["read", "fs.read/file", "a.b", "a/b", "b", "a__b", "b__c", LONG + "_one", LONG + "_two", "ä"]
    )
    | st.text(min_size=1, max_size=140),
)
TARGETS = [(MESSAGES_LONGEST, True), (OPENAI_LONGEST, True), (OPENAI_LONGEST, False)]
"""Longest name, and whether namespaces are joined to it."""


def offering(*names: Name) -> GenerateRequest:
    return GenerateRequest("m", tools=tuple(Tool(name, namespace=namespace) for namespace, name in names))


@given(st.lists(NAMES, max_size=8), st.sampled_from(TARGETS))
def test_every_name_fits_and_comes_back(names: list[Name], target: tuple[int, bool]) -> None:
    """Names are legal, distinct, and the way back is found from the request alone, in any order."""
    longest, flat = target
    wire = wire_names(offering(*names), longest, flat=flat)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) and len(name) <= longest for name in wire.values())
    places = {
        ("" if flat else namespace, name): (namespace, original)
        for (namespace, original), name in wire.items()
    }
    assert len(places) == len(set(names))
    back = original_names(offering(*reversed(names)))
    assert {place: back.get(place, place) for place in places} == places


@pytest.mark.parametrize(
    ("name", "longest", "wire"),
    [
        (("", "read"), 64, "read"),
        (("mcp_fs", "read"), 64, "mcp_fs__read"),
        (("", "x" * 128), 128, "x" * 128),
        (("", "fs.read/file"), 64, "fs_read_file_56f2e8be63"),
    ],
)
def test_names_stay_recognisable(name: Name, longest: int, wire: str) -> None:
    """What fits is not touched; what does not keeps its look, with a hash that never changes."""
    assert wire_names(offering(name), longest) == {name: wire}


def test_there_may_be_too_many_tools() -> None:
    """Telling a hundred thousand apart would hold everybody up, and no vendor takes them."""
    with pytest.raises(InvalidRequest, match="More than 10,000 tools"):
        fitted(offering(*(("", f"tool{n}") for n in range(10_001))), 64)


def test_other_tools_do_not_change_a_name() -> None:
    """A tool that joins the conversation later leaves the names, and so the prompt cache, as they were."""
    before = wire_names(offering(("", "a.b")), 64)
    after = wire_names(offering(("", "a/b"), ("", "a_b"), ("", "a.b")), 64)
    assert after["", "a.b"] == before["", "a.b"]


def test_a_hosted_tool_keeps_its_name() -> None:
    """A client's own tool of the same name has to give way."""
    request = GenerateRequest(
        "m", tools=(Tool("web_search"), HostedTool("web_search", "web_search_20250305", "web_search"))
    )
    assert wire_names(request, 64)["", "web_search"].startswith("web_search_")


def test_everything_that_names_a_tool_is_renamed_alike() -> None:
    """Tools, calls, results, references and the choice agree; ids too."""
    long_id = "toolu_" + "k" * 90
    request = GenerateRequest(
        "m",
        tools=(Tool("read", namespace="ns"), Tool("a.b")),
        messages=(
            Message(Role.USER, (Text("go"),)),
            Message(Role.ASSISTANT, (ToolCall(long_id, "read", namespace="ns"),)),
            Message(Role.USER, (ToolResult(long_id, (ToolReference("a.b"), ToolReference("gone"))),)),
        ),
        tool_choice=ToolChoice(ChoiceMode.NAMED, "a.b", allowed=("a.b", "read", "gone")),
    )
    after = fitted(request, OPENAI_LONGEST)
    names = wire_names(request, OPENAI_LONGEST)
    short = wire_id(long_id)
    assert after.tools == (Tool("ns__read"), Tool(names["", "a.b"]))
    assert after.messages[1].parts == (ToolCall(short, "ns__read"),)
    assert after.messages[2].parts == (
        ToolResult(short, (ToolReference(names["", "a.b"]), ToolReference("gone"))),
    )
    assert after.tool_choice == ToolChoice(
        ChoiceMode.NAMED, names["", "a.b"], allowed=(names["", "a.b"], "ns__read", "gone")
    )
    assert fitted(request, OPENAI_LONGEST, flat=False).tools[0] == Tool("read", namespace="ns")


@pytest.mark.parametrize("call_id", ["toolu_1", "call-A_9", "x" * 64])
def test_good_ids_stay(call_id: str) -> None:
    """An id that every vendor takes is left alone."""
    assert wire_id(call_id) == call_id


@given(
    st.lists(
        st.text(max_size=100) | st.sampled_from(["x" * 90 + "1", "x" * 90 + "2", "a:b", "a.b"]), unique=True
    )
)
def test_ids_stay_distinct(ids: list[str]) -> None:
    """Different ids stay different and legal; the same id is always changed alike."""
    wire = [wire_id(one) for one in ids]
    assert len(set(wire)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in wire)
    assert wire == [wire_id(one) for one in ids]


def test_distinct_ids() -> None:
    """An id that is taken is counted on, and taken then; none at all stays none."""
    taken: dict[str, int] = {}
    assert [distinct_id(one, taken) for one in ("t", "t", "t_2", "t", "")] == ["t", "t_2", "t_2_2", "t_3", ""]


@given(st.lists(st.sampled_from(["", "t", "t_2", "t_3", "t_2_2", "u"]), max_size=30))
def test_ids_are_distinct_whatever_was_taken(wanted: list[str]) -> None:
    """Each call has its own; the first of an id keeps it, unless another was given it before."""
    taken: dict[str, int] = {}
    own = [one for one in (distinct_id(call_id, taken) for call_id in wanted) if one]
    assert len(set(own)) == len(own) == len([call_id for call_id in wanted if call_id])


def test_thousands_of_calls_with_one_id_are_not_counted_through() -> None:
    """The next one is found at once: how often the id was asked for is remembered."""
    looked: list[object] = []

    class Counted(dict[str, int]):
        def __contains__(self, key: object) -> bool:
            looked.append(key)
            return super().__contains__(key)

    taken = Counted()
    assert len({distinct_id("t", taken) for _ in range(1_000)}) == 1_000
    assert len(looked) < 3_000

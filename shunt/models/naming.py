"""Which model is meant by a name, and how it is to run.

Upstreams spell the same model in many ways. Some clients have no setting for effort or speed and write it into the name: `gpt-5.5-high`, `gpt-5.5(high)`,
`gpt-5.5-fast`. Such an ending is read only on names whose vendors have no model that ends so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from shunt.inference.request import Effort
from shunt.models.catalogue import RETIRED
from shunt.models.families import FAMILIES, family_of, plain_name
from shunt.models.mapping import Mappings, mapped_model

_PARENTHESES: Final = re.compile(r"\s*\((none|minimal|low|medium|high|xhigh|max)\)$", re.IGNORECASE)
_ENDING: Final = re.compile(r"-(minimal|low|medium|high|xhigh|fast)$", re.IGNORECASE)
"""`-max` and `-none` end names of models, or would."""
_KNOWN: Final = re.compile(r"(?:^|/)(?:gpt-|chatgpt-|codex-|o[1-9]|claude-)", re.IGNORECASE)
_DATE: Final = re.compile(r"-20\d\d-?\d\d-?\d\d$")
_NUMBERS: Final = re.compile(r"\d+")
_LATEST: Final = ":latest"


@frozen
class Naming:
    """A model, and how a client wants it to run."""

    model: str
    effort: Effort | None = None
    fast: bool = False

    @property
    def steers(self) -> bool:
        """Whether the name says more than which model."""
        return self.effort is not None or self.fast


def naming(name: str) -> Naming:
    """A client's name for a model, taken apart."""
    found = Naming(name)
    if inner := _PARENTHESES.search(name):
        found = Naming(name[: inner.start()], Effort(inner[1].lower()))
    while _KNOWN.search(found.model) and (ending := _ENDING.search(found.model)):
        word, rest = ending[1].lower(), found.model[: ending.start()]
        if word == "fast":
            found = evolve(found, model=rest, fast=True)
        else:
            found = evolve(found, model=rest, effort=found.effort or Effort(word))
    return found


def served(
    mappings: Mappings,
    asked: str,
    families: Sequence[str],
    listed: Sequence[str] = (),
    *,
    refused: bool = False,
) -> Naming:
    """What to ask an upstream of these provider families for, when a client asks for `asked`.

    The owner's mapping decides first, by the whole name, then by the name without its ending. `listed` is
    what the upstream is known to offer; empty when that is not known, and then names pass as they are.
    `refused` says that it has told it has no such model: only then a retired one's heir is meant.
    """
    model = mapped_model(mappings, asked, *families)
    if model in listed:
        return Naming(model)
    found = naming(model)
    if model == asked and found.steers:
        again = naming(mapped_model(mappings, found.model, *families))
        found = evolve(
            found, model=again.model, effort=found.effort or again.effort, fast=found.fast or again.fast
        )
    name = resolved(found.model, listed, refused=refused)
    return found if name == found.model else evolve(found, model=name)


def resolved(name: str, listed: Sequence[str], *, refused: bool = False) -> str:
    """The upstream's own name for a model; `name` itself where it offers none that is surely meant.

    The same model may have a provider's prefix, a date, a tag or dots in its version. A family's name alone
    (`opus`, `claude-sonnet-latest`) means its newest, and so do names of models that are retired, once the
    upstream has refused them: lists leave out what is still served.
    """
    if not listed or not name or name in listed:
        return name
    same = [each for each in listed if _bare(each) == _bare(name)]
    if same:
        return max(same, key=_newness)
    tagged = [each for each in listed if each.partition(":")[0] == name]
    if tagged:
        return next((each for each in tagged if each.endswith(_LATEST)), tagged[0])
    family = _family(name, refused=refused)
    kin = [each for each in listed if family and family_of(each.rpartition("/")[2]) == family]
    return max(kin, key=_newness) if kin else name


def _family(name: str, *, refused: bool) -> str:
    """The family that a name without a version means, or a retired one that was refused; else empty."""
    bare = _bare(name)
    bare = (RETIRED.get(bare, bare) if refused else bare).removeprefix("claude-")
    return bare if bare in FAMILIES else ""


def _bare(name: str) -> str:
    """The name without prefix, date and decoration, for comparison."""
    return _DATE.sub("", plain_name(name).rpartition("/")[2])


def _newness(name: str) -> tuple[tuple[int, ...], bool, str]:
    """Versions compare by number; of one version, a name without a date comes before the latest date."""
    bare = _bare(name)
    dated = bare != name.lower().rpartition("/")[2]
    return tuple(map(int, _NUMBERS.findall(bare))), not dated, name

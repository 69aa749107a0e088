"""What a request's tokens cost at API prices. The figures are in prices.toml beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

from shunt.inference.usage import Usage
from shunt.models.families import FAMILIES, family_of, plain_name

PER: Final = 1_000_000
SEARCHES_PER: Final = 1_000
MOST_NAMES: Final = 1_000


@frozen
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float

    def of(self, usage: Usage) -> float:
        """Dollars for the tokens of one request."""
        return (
            usage.input * self.input
            + usage.output * self.output
            + usage.cache_read * self.cache_read
            + usage.cache_write_5m * self.cache_write_5m
            + usage.cache_write_1h * self.cache_write_1h
        ) / PER


@frozen
class Tariff:
    """What a model costs."""

    usual: Price
    long: Price | None = None
    """For requests with a long prompt."""
    long_above: int = 0
    """Prompt tokens, cache included, above which `long` is charged for the whole request."""

    def price(self, usage: Usage) -> Price:
        """The price that this request pays."""
        return self.long if self.long is not None and usage.prompt > self.long_above else self.usual


@frozen
class PriceList:
    """All tariffs."""

    version: str
    """Date of the figures, `YYYY-MM-DD`."""
    web_search: float
    """US dollars per thousand searches."""
    tariffs: Mapping[str, Tariff]
    """By plain model name."""
    families: Mapping[str, Tariff]
    """What models of a family cost that are not listed themselves: as much as its newest."""
    _found: dict[str, Tariff | None] = field(factory=dict, eq=False, repr=False)
    """Names looked up before. Taking a name apart costs more than all the arithmetic."""

    def tariff(self, model: str) -> Tariff | None:
        """What a model costs, by any of its names; None for models of no listed family."""
        try:
            return self._found[model]
        except KeyError:
            found = self.tariffs.get(plain_name(model)) or self.families.get(family_of(model))
        if len(self._found) >= MOST_NAMES:  # clients may ask for anything
            self._found.clear()
        self._found[model] = found
        return found

    def cost_usd(self, model: str, usage: Usage) -> float:
        """US dollars for one request at API prices; 0 for models without a price (local ones)."""
        tariff = self.tariff(model)
        if tariff is None:
            return 0.0
        return tariff.price(usage).of(usage) + usage.web_searches * self.web_search / SEARCHES_PER


def read_prices(text: str) -> PriceList:
    """Read a price file. Raises KeyError, TypeError or ValueError when it is not one."""
    document = tomllib.loads(text)
    tariffs: dict[str, Tariff] = {}
    families: dict[str, Tariff] = {}
    for entry in document["models"]:
        long = entry.get("long")
        tariff = Tariff(_price(entry), _price(long) if long else None, long["above"] if long else 0)
        for model in entry["ids"]:
            tariffs[model] = tariff
            if family_of(model) in FAMILIES:
                families.setdefault(family_of(model), tariff)
    return PriceList(document["version"], float(document["web_search"]), tariffs, families)


def _price(entry: Mapping[str, Any]) -> Price:
    return Price(
        input=float(entry["input"]),
        output=float(entry["output"]),
        cache_read=float(entry["cache_read"]),
        cache_write_5m=float(entry["cache_write_5m"]),
        cache_write_1h=float(entry["cache_write_1h"]),
    )


PRICES: Final = read_prices((files("shunt.models") / "prices.toml").read_text(encoding="utf-8"))
"""The prices shunt was built with."""

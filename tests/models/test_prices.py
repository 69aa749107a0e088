"""What requests cost at API prices."""

from __future__ import annotations

import re

import pytest

from shunt.inference.usage import Usage
from shunt.models.catalogue import MODELS
from shunt.models.families import plain_name
from shunt.models.prices import PRICES, read_prices

MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("claude-opus-5-5", Usage(input=MILLION), 4),
        ("claude-opus-5-5", Usage(output=MILLION), 20),
        ("claude-opus-5-5", Usage(cache_read=MILLION), 0.20),
        ("claude-opus-5-5", Usage(cache_write_5m=MILLION), 5),
        ("claude-opus-5-5", Usage(cache_write_1h=MILLION), 8),
        ("claude-opus-5-5", Usage(output=1000, reasoning=900), 0.02),  # reasoning is within the output
        ("claude-opus-5-5", Usage(web_searches=5), 0.05),
        ("claude-opus-5", Usage(input=MILLION), 5),
        ("claude-opus-4-1-20250805", Usage(input=MILLION), 15),
        ("claude-sonnet-4-5-20250929", Usage(input=MILLION, output=MILLION), 18),
        ("claude-3-haiku-20240307", Usage(cache_read=MILLION), 0.03),
        # A long prompt, cache included, costs more on every token.
        ("claude-haiku-5-5", Usage(input=100_000, output=1000), 0.0105),
        ("claude-haiku-5-5", Usage(input=1, cache_read=100_000, output=MILLION), 2.505_000_5),
        # Not listed: as much as the newest of the family.
        ("claude-opus-9", Usage(input=MILLION), 4),
        ("sonnet", Usage(input=MILLION), 2),
        # Local and foreign models have no price here.
        ("llama3.3", Usage(input=MILLION, web_searches=9), 0),
        ("", Usage(input=MILLION), 0),
    ],
)
def test_what_a_request_costs(model: str, usage: Usage, dollars: float) -> None:
    """Each kind of token at its own price, by whatever name the model goes."""
    assert PRICES.cost_usd(model, usage) == pytest.approx(dollars)


def test_every_known_model_has_a_price_of_its_own() -> None:
    """The two data files go together."""
    assert [model.name for model in MODELS if plain_name(model.name) not in PRICES.tariffs] == []


def test_the_figures_are_plausible() -> None:
    """Cache reads are cheapest, output is dearest, longer cache writes cost more: no slip of a column."""
    for model, tariff in PRICES.tariffs.items():
        for price in filter(None, (tariff.usual, tariff.long)):
            ascending = [
                price.cache_read,
                price.input,
                price.cache_write_5m,
                price.cache_write_1h,
                price.output,
            ]
            assert ascending == sorted(ascending), model
            assert price.cache_read > 0, model
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", PRICES.version)


def test_a_price_file_that_lacks_a_figure_is_refused() -> None:
    """A missing column does not become a free token."""
    with pytest.raises(KeyError):
        read_prices('version = "x"\nweb_search = 1\n[[models]]\nids = ["m"]\ninput = 1.0\n')

"""Each reader on a small sample of its format: what it says in our meters, what it leaves out, and what it refuses."""

import json
from decimal import Decimal
from typing import Any

import pytest

from airouter.domain.errors import InvalidRequest
from airouter.domain.proposal import Conversion, PriceListing, Proposal, card_of
from airouter.domain.rate_card import Meter, RateCard, TierCondition
from airouter.proposals.registry import Source, read_listing
from airouter.proposals.shipped import read_shipped, shipped_facts

DOLLARS = Conversion(factor="1")
LITELLM = """{
  "sample_spec": {"litellm_provider": "one of the providers", "input_cost_per_token": 0},
  "gpt-x": {
    "litellm_provider": "openai", "mode": "chat", "max_input_tokens": 200000, "max_output_tokens": "8192",
    "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 7.5e-08,
    "input_cost_per_token_above_200k_tokens": 3e-07, "input_cost_per_token_priority": 2.55e-07,
    "search_context_cost_per_query": {"search_context_size_low": 0.025, "search_context_size_high": 0.03},
    "code_interpreter_cost_per_session": 0.03, "supports_vision": true
  },
  "rerank-y": {"litellm_provider": "cohere", "mode": "rerank",
    "input_cost_per_query": 0.002, "input_cost_per_token": 0.0},
  "painter": {"litellm_provider": "openai", "mode": "image_generation", "input_cost_per_pixel": 1.9e-08},
  "free of facts": {"litellm_provider": "openai", "mode": "chat"}
}"""
MODELS_DEV = """{
  "acme": {"id": "acme", "models": {
    "m-1": {"id": "m-1", "limit": {"context": 1000000, "output": 64000}, "cost": {
      "input": 1.25, "output": 10, "cache_read": 0.125, "input_audio": 2, "telepathy": 7,
      "context_over_200k": {"input": 9, "output": 9},
      "tiers": [{"tier": {"type": "context", "size": 272000}, "input": 2.5, "output": 15}]}},
    "m-2": {"id": "m-2", "cost": {"input": 1, "output": 2, "context_over_200k": {"input": 2}}},
    "m-3": {"id": "m-3"}
  }}
}"""
RATIOS = """{"success": true, "group_ratio": {"default": 1, "vip": 0.8}, "data": [
  {"model_name": "a", "quota_type": 0, "model_ratio": 0.075, "completion_ratio": 4, "cache_ratio": 0.5,
   "audio_ratio": 0, "owner_by": "acme"},
  {"model_name": "b", "quota_type": 1, "model_ratio": 0, "model_price": 0.04},
  {"model_name": "c", "quota_type": 0, "model_ratio": 1, "billing_expr": "tier(…)"},
  {"quota_type": 0}
]}"""


def read(source: Source, content: str, group: str | None = None) -> PriceListing:
    return read_listing(source, content.encode(), group)


def named(listing: PriceListing, name: str) -> Proposal:
    return next(one for one in listing.proposals if one.name == name)


def card(proposal: Proposal, conversion: Conversion = DOLLARS) -> RateCard:
    found = card_of(proposal, proposal.name, conversion)
    assert found is not None
    return found


def rates(proposal: Proposal) -> dict[Meter, int]:
    return card(proposal).rates


def test_litellms_dollars_for_a_token_become_quota_for_a_million():
    listing = read("litellm", LITELLM)
    model = named(listing, "gpt-x")
    assert rates(model) == {
        "input": 150_000_000, "output": 600_000_000, "cached_input": 75_000_000, "search": 30_000_000,
    }  # fmt: skip
    assert (model.vendor, model.context_window, model.max_output_tokens) == ("openai", 200_000, 8192)
    assert model.unmapped == (
        "searches cost more with a larger context: the dearest was taken",
        "code_interpreter_cost_per_session",
    )
    assert rates(named(listing, "rerank-y")) == {"rerank_unit": 2_000_000, "input": 0}
    assert {(one.name, one.reason) for one in listing.skipped} == {
        ("sample_spec", "it is no model"),
        ("painter", "it has no price that a meter here can hold: input_cost_per_pixel"),
        ("free of facts", "its name has spaces or control characters"),
    }


def test_prices_by_service_tier_and_by_length_are_right_in_every_combination():
    priced = card(named(read("litellm", LITELLM), "gpt-x"))

    def entry(tokens: int, service_tier: str | None) -> int:
        return priced.rates_for(tokens, service_tier, "chat.completions")["input"]

    assert entry(200_000, None) == 150_000_000
    assert entry(200_001, None) == 300_000_000
    assert entry(10, "priority") == entry(200_001, "priority") == 255_000_000
    assert priced.rates_for(200_001, "priority", "x")["cached_input"] == 75_000_000


def test_models_devs_newer_tiers_stand_for_its_older_ones():
    listing = read("models_dev", MODELS_DEV)
    one, two = named(listing, "m-1"), named(listing, "m-2")
    assert rates(one)["audio_input"] == 2_000_000_000
    assert [tier.when for tier in one.tiers] == [TierCondition(input_tokens_above=272_000)]
    assert [tier.when for tier in two.tiers] == [TierCondition(input_tokens_above=200_000)]
    assert card(two).rates_for(200_001, None, "x")["output"] == 2_000_000_000
    assert (one.unmapped, one.vendor, one.context_window) == (("telepathy",), "acme", 1_000_000)
    assert [(gone.name, gone.reason) for gone in listing.skipped] == [("m-3", "it has no price")]


def test_ratios_of_another_site_are_two_units_a_million_times_its_group():
    listing = read("pricing_page", RATIOS)
    assert listing.currency is None
    assert rates(named(listing, "a")) == {"input": 150_000_000, "output": 600_000_000, "cached_input": 75_000_000}
    assert rates(named(listing, "b")) == {"request": 40_000_000}
    assert len(listing.skipped) == 2
    assert rates(named(read("pricing_page", RATIOS, "vip"), "a"))["input"] == 120_000_000
    with pytest.raises(InvalidRequest, match="names no group"):
        read("pricing_page", RATIOS, "gold")


def test_the_price_list_of_another_ai_router_comes_over_to_the_unit():
    listed = {"input": {"rate": 333_333_333, "per": 1_000_000}, "request": {"rate": 7, "per": 1}}
    tiers = [{"when": {"endpoint": "embeddings"}, "rates": {"input": {"rate": 1, "per": 1_000_000}}}]
    model: dict[str, Any] = {"model": "demo", "vendor": None, "rates": listed, "multiplier_micros": 1_500_000}
    listing = read("pricing_page", json.dumps({"group": "vip", "models": [{**model, "tiers": tiers}]}))
    priced = card(named(listing, "demo"))
    assert priced.rates == {"input": 500_000_000, "request": 11}  # 499 999 999.5 and 10.5, rounded up
    assert priced.rates_for(1, None, "embeddings")["input"] == 2


@pytest.mark.parametrize("source", ["litellm", "models_dev", "pricing_page"])
@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", "null", '{"a": 1}', '{"models": "x", "data": []}', "NaN", "[" * 5000]
)
def test_a_document_that_is_no_such_list_is_refused_in_words(source: Source, content: str):
    with pytest.raises(InvalidRequest) as refused:
        read(source, content)
    assert refused.value.details["field"] == "content"


@pytest.mark.parametrize("price", ["-1", "1e400", "1e999999999", '"1e5x"', "true", "[1]", '"NaN"', '"Infinity"'])
def test_what_is_no_price_is_named_and_never_guessed(price: str):
    content = '{"p": {"models": {"m": {"cost": {"input": 1, "output": PRICE}}}}}'.replace("PRICE", price)
    model = named(read("models_dev", content), "m")
    assert set(model.rates) == {"input"}
    assert model.unmapped == ("output",)


def test_the_shipped_catalogue_says_whose_facts_it_holds_and_every_entry_has_a_price():
    source, currency, models = shipped_facts()
    listing = read_shipped()
    assert (source.name, source.licence, currency) == ("genai-prices", "MIT", "USD")
    assert "Permission is hereby granted" in source.notice
    assert source.date.startswith("20")
    assert len(listing.proposals) == models > 500
    for proposal in listing.proposals:
        assert card_of(proposal, proposal.name, DOLLARS), proposal.name
        for one in (proposal.rates, *(tier.rates for tier in proposal.tiers)):
            assert all(Decimal(rate.price) >= 0 and rate.per > 0 for rate in one.values())

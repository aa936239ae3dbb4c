"""The table of what is carried, dropped or refused is complete, and its refusals say why."""

from typing import get_args

import pytest

from airouter.translation.support import RULES, TAKES_LINKS, Dialect, Feature, NotTranslatable, dropped_or_refused

EVERY = [(dialect, feature) for dialect in get_args(Dialect) for feature in get_args(Feature)]


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_every_feature_has_a_rule(dialect: Dialect):
    assert set(RULES[dialect]) == set(get_args(Feature))
    assert dialect in TAKES_LINKS


@pytest.mark.parametrize(("dialect", "feature"), EVERY)
def test_what_is_left_out_or_refused_has_a_reason(dialect: Dialect, feature: Feature):
    rule = RULES[dialect][feature]
    assert rule.fate == "carried" or rule.why


@pytest.mark.parametrize(("dialect", "feature"), EVERY)
def test_the_table_is_obeyed(dialect: Dialect, feature: Feature):
    asked = {feature: "the member"}
    match RULES[dialect][feature].fate:
        case "carried":
            assert dropped_or_refused(asked, dialect) == []
        case "dropped":
            assert dropped_or_refused(asked, dialect) == [feature]
        case "refused":
            with pytest.raises(NotTranslatable) as refused:
                dropped_or_refused(asked, dialect)
            assert refused.value.details["field"] == "the member"
            assert RULES[dialect][feature].why in refused.value.message


def test_a_link_is_fetched_where_data_alone_is_taken():
    for dialect, kinds in TAKES_LINKS.items():
        for kind in ("image", "document", "audio", "video"):
            link, data = RULES[dialect][f"{kind}_link"], RULES[dialect][f"{kind}_data"]
            assert link.fate == data.fate
            assert (link.why == "fetched by the gateway, and sent as data") == (
                data.fate == "carried" and kind not in kinds
            )

"""The environment is decoded once, completely, and without letting a secret out."""

import re
from pathlib import Path

import pytest

from airouter import settings
from airouter.settings import SettingsInvalid, load
from airouter.sites import site_difference

ROOT = Path(__file__).parents[2]
KEY = settings.generate_secret_key("k1", b"s" * 32)
PRODUCTION = {
    "AIROUTER_DATABASE_URL": "postgresql://app:hunter2@db/airouter",
    "AIROUTER_SECRET_KEYS": KEY,
    "AIROUTER_PUBLIC_URL": "https://api.example.com",
}


def test_production_without_anything_names_all_that_is_missing_in_one_message() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load({})
    for name in PRODUCTION:
        assert name in str(refused.value)


def test_production_is_the_default_mode() -> None:
    assert not load(PRODUCTION).is_demo


def test_demo_needs_nothing() -> None:
    found = load({"AIROUTER_MODE": "demo"})
    assert found.is_demo
    assert found.public_url == found.console_url == "http://127.0.0.1:8080"
    assert found.console_origins == ("http://127.0.0.1:8080",)


def test_the_demos_addresses_follow_its_port() -> None:
    assert load({"AIROUTER_MODE": "demo", "AIROUTER_PORT": "9000"}).public_url == "http://127.0.0.1:9000"


def test_empty_variables_count_as_unset() -> None:
    assert load({**PRODUCTION, "AIROUTER_PORT": "", "AIROUTER_CONSOLE_URL": " "}).port == 8080


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load(
            {
                "AIROUTER_MODE": "debug",
                "AIROUTER_PORT": "eighty",
                "AIROUTER_CURRENCY": "dollar",
                "AIROUTER_WORKERS": "0",
            }
        )
    for name in ("AIROUTER_MODE", "AIROUTER_PORT", "AIROUTER_CURRENCY", "AIROUTER_WORKERS", "AIROUTER_SECRET_KEYS"):
        assert name in str(refused.value)


def test_no_secret_is_in_the_repr() -> None:
    found = load({**PRODUCTION, "AIROUTER_DATABASE_DIRECT_URL": "postgresql://db/airouter?password=hunter2&user=x"})
    shown = repr(found) + repr(found.secret_keys) + repr(list(found.__rich_repr__()))
    assert "hunter2" not in shown
    assert KEY.partition(":")[2] not in shown
    assert "ssss" not in shown


def test_a_secret_key_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        load({**PRODUCTION, "AIROUTER_SECRET_KEYS": "k1:dG9vIHNob3J0"})
    assert "dG9vIHNob3J0" not in str(refused.value)
    assert "AIROUTER_SECRET_KEYS" in str(refused.value)


def test_the_first_secret_key_is_the_current_one() -> None:
    older = settings.generate_secret_key("k0", b"o" * 32)
    assert [key.id for key in load({**PRODUCTION, "AIROUTER_SECRET_KEYS": f"{KEY},{older}"}).secret_keys] == [
        "k1",
        "k0",
    ]


def test_the_direct_url_defaults_to_the_database_url() -> None:
    assert load(PRODUCTION).database_direct == PRODUCTION["AIROUTER_DATABASE_URL"]


def test_a_console_of_another_site_is_refused_with_the_reason() -> None:
    with pytest.raises(SettingsInvalid, match=r"example\.com is not example\.net.*cookie"):
        load({**PRODUCTION, "AIROUTER_CONSOLE_URL": "https://console.example.net"})


def test_a_console_on_another_origin_of_the_same_site_is_accepted() -> None:
    found = load({**PRODUCTION, "AIROUTER_CONSOLE_URL": "https://console.example.com:8443/"})
    assert found.console_origins == ("https://console.example.com:8443",)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("https://a.example.com", "https://b.example.com", True),
        ("https://example.com", "https://example.com:8443", True),
        ("http://localhost:8080", "http://localhost:5173", True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:5173", True),
        ("http://127.0.0.1:8080", "http://localhost:8080", False),
        ("http://10.0.0.1", "http://10.0.0.2", False),
        ("https://example.com", "http://example.com", False),
        ("https://a.co.uk", "https://b.co.uk", False),
        ("https://x.a.co.uk", "https://y.a.co.uk", True),
        ("https://me.github.io", "https://you.github.io", False),
    ],
)
def test_sites_are_told_apart_as_browsers_do(first: str, second: str, *, is_same: bool) -> None:
    assert (site_difference(first, second) is None) == is_same


@pytest.mark.parametrize(
    ("url", "is_secure"),
    [
        ("http://127.0.0.1:8080", False),
        ("http://localhost", False),
        ("http://10.1.2.3", True),
        ("https://localhost", True),
    ],
)
def test_the_cookie_is_secure_unless_http_on_loopback(url: str, *, is_secure: bool) -> None:
    assert load({**PRODUCTION, "AIROUTER_PUBLIC_URL": url}).cookie_is_secure == is_secure


def test_the_metrics_address_can_be_moved_or_turned_off() -> None:
    assert str(load({**PRODUCTION, "AIROUTER_METRICS_ADDR": "[::1]:9000"}).metrics_addr) == "[::1]:9000"
    assert load({**PRODUCTION, "AIROUTER_METRICS_ADDR": "off"}).metrics_addr is None


def test_env_example_has_one_line_for_every_variable_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    named = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert sorted(named) == sorted(settings.variables())


def test_env_examples_values_are_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if re.match(r"AIROUTER_\w+=.", line))
    assert load({**PRODUCTION, **values}) == load(PRODUCTION)

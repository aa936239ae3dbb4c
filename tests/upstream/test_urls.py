"""What an operator types as an address."""

import pytest

from airouter.upstream.contract import Origin, split_url


@pytest.mark.parametrize(
    ("url", "origin", "prefix", "authority"),
    [
        ("https://api.provider.test/v1", Origin("https", "api.provider.test", 443), "/v1", "api.provider.test"),
        ("https://api.provider.test", Origin("https", "api.provider.test", 443), "", "api.provider.test"),
        ("https://API.Provider.test./v1/", Origin("https", "api.provider.test", 443), "/v1", "api.provider.test"),
        ("http://127.0.0.1:8000/v1", Origin("http", "127.0.0.1", 8000), "/v1", "127.0.0.1:8000"),
        ("http://127.0.0.1:80", Origin("http", "127.0.0.1", 80), "", "127.0.0.1"),
        ("http://provider.test:443", Origin("http", "provider.test", 443), "", "provider.test:443"),
        ("https://[2001:DB8::1]:8443/x/y", Origin("https", "2001:db8::1", 8443), "/x/y", "[2001:db8::1]:8443"),
        ("https://bücher.test/", Origin("https", "xn--bcher-kva.test", 443), "", "xn--bcher-kva.test"),
    ],
)
def test_address_is_taken_apart(url: str, origin: Origin, prefix: str, authority: str) -> None:
    assert split_url(url) == (origin, prefix)
    assert origin.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.provider.test/v1",
        "ftp://provider.test",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://user:secret@provider.test",
        "https://user@provider.test",
        "https://provider.test/v1?key=1",
        "https://provider.test/v1#part",
        "https://provider.test:0",
        "https://provider.test:70000",
        "https://provider.test:http",
        "https://provider test/",
        "https://provider.test/\r\nx: 1",
        "https://[::1",
        "https://a..b.ü.test",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        split_url(url)

"""AWS's own test vectors (its Signature Version 4 test suite), typed from their published values."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from airouter.providers.sigv4 import Keys, Scope, Unsigned, signed

KEYS = Keys(access_key_id="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = Scope(region="us-east-1", service="service", at=datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"
    "x7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY"
    "9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
BLANKS = ((b"My-Header1", b" value1"), (b"My-Header2", b' "a   b   c"'))


@pytest.mark.parametrize(
    ("name", "request_", "signature"),
    [
        ("get-vanilla", ("GET", "/", ()), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("post-vanilla", ("POST", "/", ()), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "get-vanilla-query-order",
            ("GET", "/?Param2=value2&Param1=value1", ()),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-header-value-trim",
            ("GET", "/", BLANKS),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "get-space",  # encoded once more, whatever is encoded already
            ("GET", "/example space/", ()),
            "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
        ),
    ],
)
def test_published_requests_get_their_published_signatures(
    name: str, request_: tuple[str, str, tuple[tuple[bytes, bytes], ...]], signature: str
):
    method, target, headers = request_
    request = Unsigned(method=method, host="example.amazonaws.com", target=target, headers=headers)
    *_, (header, value) = signed(request, KEYS, SCOPE)
    assert header == b"authorization"
    assert value.decode().endswith(f"Signature={signature}"), name


def test_a_session_token_is_sent_and_signed():
    keys = Keys(access_key_id=KEYS.access_key_id, secret=KEYS.secret, session_token=TOKEN)
    found = dict(signed(Unsigned(method="POST", host="example.amazonaws.com", target="/"), keys, SCOPE))
    assert found[b"x-amz-security-token"] == TOKEN.encode()
    assert found[b"x-amz-date"] == b"20150830T123600Z"
    assert found[b"authorization"] == (
        b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        b"SignedHeaders=host;x-amz-date;x-amz-security-token, "
        b"Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )


def test_the_signature_changes_with_everything_it_covers():
    request = Unsigned(method="POST", host="h", target="/p", headers=((b"content-type", b"a"),), body=b"x")
    at = SCOPE.at
    others = [
        (Unsigned(method="PUT", host="h", target="/p", headers=request.headers, body=b"x"), KEYS, SCOPE),
        (Unsigned(method="POST", host="i", target="/p", headers=request.headers, body=b"x"), KEYS, SCOPE),
        (Unsigned(method="POST", host="h", target="/q", headers=request.headers, body=b"x"), KEYS, SCOPE),
        (Unsigned(method="POST", host="h", target="/p", headers=(), body=b"x"), KEYS, SCOPE),
        (Unsigned(method="POST", host="h", target="/p", headers=request.headers, body=b"y"), KEYS, SCOPE),
        (request, Keys(access_key_id="AKIDEXAMPLE", secret="other"), SCOPE),
        (request, KEYS, Scope(region="us-east-2", service="service", at=at)),
        (request, KEYS, Scope(region="us-east-1", service="bedrock", at=at)),
        (request, KEYS, Scope(region="us-east-1", service="service", at=at + timedelta(seconds=1))),
    ]
    every = {signed(*one)[-1][1][-64:] for one in [(request, KEYS, SCOPE), *others]}
    assert len(every) == len(others) + 1


def test_a_clock_of_another_zone_dates_in_utc():
    late = datetime(2015, 8, 31, 1, 36, tzinfo=timezone(timedelta(hours=13)))
    request = Unsigned(method="GET", host="example.amazonaws.com", target="/")
    assert signed(request, KEYS, Scope(region="us-east-1", service="service", at=late)) == signed(request, KEYS, SCOPE)


def test_keys_do_not_show_their_secret():
    assert KEYS.secret not in repr(KEYS)

"""Which addresses are the same, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airouter.domain.email_address import domain_of, is_address, normal


@pytest.mark.parametrize(
    ("email", "same_as"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("ada\u0301@example.com", "adá@example.com"),  # a letter and its accent; the letter with it
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@stra\u00dfe.example", "ada@strasse.example"),
        ("ada@mail\u3002example\u3002com", "ada@mail.example.com"),
    ],
)
def test_spellings_that_mail_does_not_tell_apart_are_one_address(email: str, same_as: str) -> None:
    assert is_address(email)
    assert normal(email) == normal(same_as)
    assert domain_of(email) == domain_of(same_as)


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "ada@localhost",
        "ada@b..com",
        "ada@example.com.",
        "ada@[127.0.0.1]",
        "ada@1.2.3.4",
        "ada@-x.com",
        "ada@x.com>",
        "<ada@x.com",
        "ada,bob@x.com",
        "ada;bob@x.com",
        "ada bob@x.com",
        "ada\r\nBcc: bob@x.com",
        "ada\u200b@x.com",  # zero width
        "ada\u202e@x.com",  # right to left
        "\uff41da@x.com",  # wide letters
        "\u212aim@x.com",  # the sign for kelvin, which becomes a small k
        "ada@\uff45xample.com",
        "a" * 65 + "@x.com",
        "ada@" + "x" * 64 + ".com",
        "ada@" + "x." * 130 + "com",
    ],
)
def test_what_mail_would_not_carry_or_not_show_is_no_address(email: str) -> None:
    assert not is_address(email)


@pytest.mark.parametrize("email", ["o'neil+x@x.co.uk", "用户@例子.中国", "ada@example.invalid", "élise@x.com"])
def test_addresses_of_the_world_are_addresses(email: str) -> None:
    assert is_address(email)


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_normal_form_is_its_own(local: str, domain: str) -> None:
    email = f"{local}@{domain}"
    if is_address(email):
        assert normal(normal(email)) == normal(email)

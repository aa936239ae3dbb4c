"""Currencies, and how many decimal places their smallest unit has (ISO 4217, list of active codes, read 2025-05)."""

from typing import Final

_WITHOUT_PLACES: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_PLACES: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_PLACES: Final = "CLF UYW"
_TWO_PLACES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)

EXPONENTS: Final[dict[str, int]] = {
    code: places
    for places, codes in enumerate((_WITHOUT_PLACES, "", _TWO_PLACES, _THREE_PLACES, _FOUR_PLACES))
    for code in codes.split()
}
"""Decimal places by code: 1 USD is 10^2 minor units, 1 JPY is one, 1 KWD is 10^3."""


def exponent_of(currency: str) -> int | None:
    """None: there is no such currency."""
    return EXPONENTS.get(currency)


def in_words(minor_units: int, currency: str) -> str:
    """`1234` of USD as `12.34 USD`, exactly, for sentences."""
    places = EXPONENTS.get(currency, 0)
    sign, digits = "-" if minor_units < 0 else "", str(abs(minor_units)).rjust(places + 1, "0")
    whole, part = (digits[:-places], "." + digits[-places:]) if places else (digits, "")
    return f"{sign}{whole}{part} {currency}"

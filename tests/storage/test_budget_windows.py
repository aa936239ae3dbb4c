"""Days, weeks and months of a budget: from midnight to midnight of the account's zone, whatever its clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WINDOW = "SELECT starts, ends FROM budget_window($1, $2, $3)"
ZONES = ["UTC", "Asia/Shanghai", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
         "America/Havana", "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "Pacific/Kiritimati"]  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("period", "zone", "moment", "starts", "ends"),
    [
        ("day", "UTC", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
        ("day", "Asia/Shanghai", "2026-11-23T15:59:59Z", "2026-11-22T16:00:00Z", "2026-11-23T16:00:00Z"),
        ("day", "America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),  # 23 hours
        ("day", "America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),  # 25 hours
        (
            "week",
            "Europe/Berlin",
            "2026-03-29T20:00:00Z",
            "2026-03-22T23:00:00Z",
            "2026-03-29T22:00:00Z",
        ),  # from Monday
        ("week", "UTC", "2027-01-01T00:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
        ("month", "Asia/Kolkata", "2028-02-29T18:29:59Z", "2028-01-31T18:30:00Z", "2028-02-29T18:30:00Z"),
        ("month", "Europe/Berlin", "2026-10-10T00:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
        # Midnight does not exist here on this day: it begins at one.
        ("day", "Africa/Cairo", "2026-04-24T10:00:00Z", "2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"),
        # Midnight exists twice here: the day before goes on until the second.
        ("day", "America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T04:30:00Z", "2026-11-01T05:00:00Z"),
        ("day", "America/Havana", "2026-11-01T05:00:00Z", "2026-11-01T05:00:00Z", "2026-11-02T05:00:00Z"),
    ],
)
async def test_a_window_is_that_of_the_zones_calendar(
    pool: asyncpg.Pool, *, period: str, zone: str, moment: str, starts: str, ends: str
) -> None:
    row = await pool.fetchrow(WINDOW, period, zone, at(moment))
    assert row is not None
    assert (row["starts"], row["ends"]) == (at(starts), at(ends))


async def test_a_total_never_ends(pool: asyncpg.Pool) -> None:
    row = await pool.fetchrow(WINDOW, "total", "UTC", at("2026-11-23T00:00:00Z"))
    assert row is not None
    assert row["ends"] is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    period=st.sampled_from(["day", "week", "month"]),
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - UTC, said below
)
async def test_windows_hold_their_moment_and_follow_each_other(
    pool: asyncpg.Pool, period: str, zone: str, moment: datetime
) -> None:
    now = moment.replace(tzinfo=UTC)
    row = await pool.fetchrow(WINDOW, period, zone, now)
    assert row is not None
    assert row["starts"] <= now < row["ends"]
    following = await pool.fetchrow(WINDOW, period, zone, row["ends"])
    assert following is not None
    assert following["starts"] == row["ends"]
    local = row["ends"].astimezone(ZoneInfo(zone))
    midnights = {(0, 0), (1, 0)}  # one o'clock where there is no midnight
    assert (local.hour, local.minute) in midnights
    if period == "week":
        assert local.weekday() == 0
    if period == "month":
        assert local.day == 1
    assert row["ends"] - row["starts"] <= timedelta(days=31, hours=2)

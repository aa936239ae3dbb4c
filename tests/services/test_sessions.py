"""What is remembered of sessions ends with the first word of a change, and soon where no word can arrive."""

from datetime import UTC, datetime, timedelta

from airouter.domain.ids import SessionId, UserId
from airouter.services.sessions import Standing, Standings
from airouter.world import new_id


def _standing() -> Standing:
    return Standing(
        session_id=SessionId(new_id()), user_id=UserId(new_id()), email="a@example.com", role="user", locale=None,
        expires_at=datetime.now(UTC) + timedelta(days=1), lacks_factor=False, memberships=(),
    )  # fmt: skip


def _standings(*, is_listening: bool) -> tuple[Standings, list[float]]:
    clock = [100.0]
    return Standings(lambda: is_listening, lambda: clock[0]), clock


def test_without_a_listener_nothing_is_remembered_for_longer_than_a_second() -> None:
    standings, clock = _standings(is_listening=False)
    one = _standing()
    standings.remember(one, standings.epoch)
    assert standings.find(one.session_id) is one
    clock[0] += 1.0
    assert standings.find(one.session_id) is None


def test_what_was_read_before_a_change_is_not_remembered_after_it() -> None:
    standings, _ = _standings(is_listening=True)
    one = _standing()
    began = standings.epoch
    standings.on_session(str(one.session_id))
    standings.remember(one, began)
    assert standings.find(one.session_id) is None


def test_a_change_of_one_session_leaves_the_others_alone_and_one_without_a_name_none() -> None:
    standings, _ = _standings(is_listening=True)
    one, other = _standing(), _standing()
    for standing in (one, other):
        standings.remember(standing, standings.epoch)
    standings.on_session(str(one.session_id))
    assert (standings.find(one.session_id), standings.find(other.session_id)) == (None, other)
    standings.on_account(None)
    assert standings.find(other.session_id) is None

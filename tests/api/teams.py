"""Teams for tests, through the same doors as everybody else."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

from airouter.domain.ids import UserId
from airouter.services.vault import Vault
from tests.builders import Signed, run_sql
from tests.settings import SECRET

ACCOUNTS = "/api/v1/accounts"


async def team_of(owner: Signed, name: str = "Research") -> str:
    """The id of a new team with this owner."""
    made = await owner.client.post(ACCOUNTS, json={"name": name})
    assert made.status_code == 201, made.text
    return made.json()["id"]


async def put_in(database: str, team: str, who: Signed, team_role: str) -> None:
    """Somebody who has not called yet belongs to a team, without an invitation."""
    await run_sql(
        database,
        "INSERT INTO members (account_id, user_id, team_role) VALUES ($1, $2, $3)",
        UUID(team),
        who.user_id,
        team_role,
    )


async def stored_team(database: str, *, owner: UserId, member: UserId) -> UUID:
    """A team of two who need not call for it."""
    rows = await run_sql(
        database,
        """
        WITH a AS (
          INSERT INTO accounts (account_id, name, kind) VALUES (gen_random_uuid(), 'team', 'team') RETURNING account_id
        ), w AS (
          INSERT INTO wallets (account_id, kind, balance)
          SELECT account_id, kind, 0 FROM a, unnest(ARRAY['main', 'reward']) AS kind
        )
        INSERT INTO members (account_id, user_id, team_role)
        SELECT account_id, who, role FROM a, (VALUES ($1::uuid, 'owner'), ($2::uuid, 'member')) AS v (who, role)
        RETURNING account_id
        """,
        owner,
        member,
    )
    return rows[0]["account_id"]


def within(team: str) -> dict[str, str]:
    """Headers of a call for a team."""
    return {"x-account-id": team}


async def invite(owner: Signed, team: str, email: str, team_role: str = "member") -> httpx.Response:
    return await owner.client.post(f"{ACCOUNTS}/{team}/invitations", json={"email": email, "team_role": team_role})


async def token_of(database: str, invited: httpx.Response) -> str:
    """The token of an invitation, out of the answer or out of the letter."""
    assert invited.status_code == 201, invited.text
    link: str | None = invited.json()["link"]
    if link is None:
        link = (await letter_of(database, f"invitation/{invited.json()['id']}"))["link"]
    return urlsplit(link).fragment


async def letter_of(database: str, once: str) -> dict[str, Any]:
    """What a mail says that was posted on this occasion."""
    [mail] = await run_sql(database, "SELECT mail_id, facts FROM mails WHERE once = $1", once)
    return msgspec.json.decode(Vault((SECRET,)).decrypt("mail", "mails", mail["mail_id"], mail["facts"]))

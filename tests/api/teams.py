"""Teams for tests, through the same doors as everybody else."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec

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

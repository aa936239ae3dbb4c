"""Who is behind a bearer: the access token of a session, or a management token."""

import msgspec

from airouter.domain.ids import SessionId, TokenId, UserId
from airouter.domain.permission import Role
from airouter.services.sessions import Sessions
from airouter.services.tokens import SECRET_PREFIX, ManagementTokens
from airouter.storage.sessions import Membership


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, as of now. A management token has `scopes`, and only the account that it is bound to."""

    session_id: SessionId | None
    token_id: TokenId | None
    scopes: frozenset[str] | None
    user_id: UserId
    email: str
    role: Role
    locale: str | None
    lacks_factor: bool
    memberships: tuple[Membership, ...]


class Bearers:
    """Recognises people by what their requests carry."""

    def __init__(self, sessions: Sessions, tokens: ManagementTokens) -> None:
        self._sessions = sessions
        self._tokens = tokens

    async def recognise(self, secret: str, address: str) -> Bearer:
        """Who calls with this.

        Raises:
            Unauthenticated, SessionExpired
            TooManyAttempts: too many wrong tokens from this network.
        """
        if secret.startswith(SECRET_PREFIX):
            token = await self._tokens.standing(secret, address)
            return Bearer(
                session_id=None,
                token_id=token.token_id,
                scopes=token.scopes,
                user_id=token.user_id,
                email=token.email,
                role=token.role,
                locale=token.locale,
                lacks_factor=token.lacks_factor,
                memberships=(token.membership,),
            )
        standing = await self._sessions.standing(secret)
        return Bearer(
            session_id=standing.session_id,
            token_id=None,
            scopes=None,
            user_id=standing.user_id,
            email=standing.email,
            role=standing.role,
            locale=standing.locale,
            lacks_factor=standing.lacks_factor,
            memberships=standing.memberships,
        )

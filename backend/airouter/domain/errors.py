"""Refusals, each named for the fact. `code` is public and stable; the HTTP status is decided in api/errors.py alone.

DomainError
├── Unauthenticated   who are you?      InvalidApiKey KeyDisabled KeyExpired InvalidCredentials SessionExpired …
├── NotAllowed        not you           AddressNotAllowed ModelNotAllowed GroupNotAllowed AccountPaused RoleRequired …
├── NotFound          nothing there     ModelNotFound NotOffered CodeUnknown
├── Conflict          not in this state AlreadyExists CodeAlreadyRedeemed BalanceInsufficient QuotaInUseByCalls …
├── Gone              not any more      CodeExpired CodeRevoked
├── Invalid           cannot be meant   InvalidRequest InvalidRateCard AmountTooLarge NotSupportedYet …
├── OutOfQuota        no credit         InsufficientQuota KeyLimitReached
├── TooMany           slow down         QuotaInUse RateLimitExceeded TooManyAttempts
├── Upstream          the other side    UpstreamRejected UpstreamRefusedRequest UpstreamFailed NoChannelAvailable …
└── Unavailable       our side          LedgerUnavailable DatabaseUnavailable ShuttingDown
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal with a public code, words for a person, and facts for a program."""

    code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "The request was refused."

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or self.default_message
        self.details = details
        super().__init__(self.message)


class Unauthenticated(DomainError):
    code = "unauthenticated"
    default_message = "Sign in first: send an access token as `Authorization: Bearer …`."


class InvalidApiKey(Unauthenticated):
    code = "invalid_api_key"
    default_message = "The API key is unknown. Check it, or make a new one in the console under API keys."


class KeyDisabled(Unauthenticated):
    code = "key_disabled"
    default_message = "This API key is disabled. Enable it in the console under API keys."


class KeyExpired(Unauthenticated):
    code = "key_expired"
    default_message = "This API key has expired. Make a new one in the console under API keys."


class InvalidCredentials(Unauthenticated):
    code = "invalid_credentials"
    default_message = "The e-mail address or the password is wrong."


class SessionExpired(Unauthenticated):
    code = "session_expired"
    default_message = "The session has ended. Sign in again."


class InvalidToken(Unauthenticated):
    code = "invalid_token"
    default_message = "This link is unknown, expired or already used. Ask for a new one."


class NotAllowed(DomainError):
    code = "forbidden"
    default_message = "You may not do this."


class AddressNotAllowed(NotAllowed):
    code = "ip_not_allowed"
    default_message = "This API key may not be used from this address."


class ModelNotAllowed(NotAllowed):
    code = "model_not_allowed"
    default_message = "This API key may not use this model."


class GroupNotAllowed(NotAllowed):
    code = "group_not_allowed"
    default_message = "This account may not use this group."


class AccountPaused(NotAllowed):
    code = "account_paused"
    default_message = "This account is paused. Ask the operator."


class RoleRequired(NotAllowed):
    code = "role_required"
    default_message = "This needs another role."


class OriginNotAllowed(NotAllowed):
    code = "origin_not_allowed"
    default_message = "This address is not called from that origin."


class SignUpClosed(NotAllowed):
    code = "sign_up_closed"
    default_message = "Sign-up is closed here. Ask the operator for an account."


class CodeNotForGroup(NotAllowed):
    code = "code_not_for_group"
    default_message = "This code is for accounts of another group."


class RedemptionDisabled(NotAllowed):
    code = "redemption_disabled"
    default_message = "Codes are not redeemed here at the moment."


class NotFound(DomainError):
    code = "not_found"
    default_message = "There is nothing here."


class ModelNotFound(NotFound):
    code = "model_not_found"
    default_message = "The model does not exist or is not available to you. GET /v1/models lists those that are."


class NotOffered(NotFound):
    code = "not_supported"
    default_message = "Nobody who serves this model can do that."


class CodeUnknown(NotFound):
    code = "code_unknown"
    default_message = "This code is unknown. Check it for typing errors."


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    default_message = "This address does not take this method."


class Conflict(DomainError):
    code = "conflict"
    default_message = "The request does not fit the present state."


class AlreadyExists(Conflict):
    code = "already_exists"
    default_message = "This exists already."


class EmailTaken(Conflict):
    code = "email_taken"
    default_message = "An account with this e-mail address exists. Sign in instead."


class CodeAlreadyRedeemed(Conflict):
    """`by_you` tells a double click from somebody else's luck."""

    code = "code_already_redeemed"
    default_message = "This code has been redeemed."


class CodeUsesExhausted(Conflict):
    code = "code_uses_exhausted"
    default_message = "This code has been used as often as it may be."


class BalanceInsufficient(Conflict):
    code = "balance_insufficient"
    default_message = "The balance is smaller than that."


class QuotaInUseByCalls(Conflict):
    """The management API's refusal; at the doors the same fact is `QuotaInUse`."""

    code = "quota_in_use"
    default_message = "Calls in flight hold that quota. Try again in a few seconds."


class InUse(Conflict):
    code = "in_use"
    default_message = "Something still refers to this."


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    default_message = "The first request with this idempotency key is still running."


class Gone(DomainError):
    code = "gone"
    default_message = "This is no longer there."


class CodeExpired(Gone):
    code = "code_expired"
    default_message = "This code has expired."


class CodeRevoked(Gone):
    code = "code_revoked"
    default_message = "This code was revoked."


class Invalid(DomainError):
    code = "invalid_request"
    default_message = "The request cannot be understood."


class InvalidRequest(Invalid):
    """`field` names what is wrong, as a path into the body."""


class InvalidRateCard(Invalid):
    code = "invalid_rate_card"
    default_message = "These rates cannot be charged."


class WeakPassword(Invalid):
    code = "weak_password"
    default_message = "The password is too short or too easy to guess."


class AmountTooLarge(Invalid):
    code = "amount_too_large"
    default_message = "A wallet cannot hold that much."


class NotSupportedYet(Invalid):
    code = "not_supported_yet"
    default_message = "This field is not supported yet, and would be ignored."


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    default_message = "This idempotency key was used with another body."


class IdempotencyKeyRequired(Invalid):
    code = "idempotency_key_required"
    default_message = "Send an `Idempotency-Key` header, so that a repeated request is done once."


class MeterNotPriced(Invalid):
    code = "meter_not_priced"
    default_message = "The request asks for something that has no price here."


class BodyTooLarge(DomainError):
    code = "body_too_large"
    default_message = "The request body is too large."


class RequestTimedOut(DomainError):
    code = "request_timeout"
    default_message = "The request did not come in in time."


class UnsupportedMediaType(DomainError):
    code = "unsupported_media_type"
    default_message = "Send JSON, with `Content-Type: application/json`."


class OutOfQuota(DomainError):
    """Not enough even with nothing in flight: trying again does not help."""

    code = "insufficient_quota"


class InsufficientQuota(OutOfQuota):
    default_message = "The balance is too small for this call. Top up, or ask for fewer output tokens."


class KeyLimitReached(OutOfQuota):
    code = "key_limit_reached"
    default_message = "This key's spend limit is too small for this call. Raise it in the console under API keys."


class TooMany(DomainError):
    """Come back later; `retry_after_seconds` says when."""

    code = "too_many_requests"


class QuotaInUse(TooMany):
    code = "quota_in_use"
    default_message = "Calls in flight hold the quota that this call needs. Try again shortly."


class RateLimitExceeded(TooMany):
    code = "rate_limit_exceeded"
    default_message = "A limit of requests, tokens or calls at once is reached."


class RequestExceedsRateLimit(TooMany):
    """No minute has room for it: trying again does not help."""

    code = "request_exceeds_rate_limit"
    default_message = "This call alone may use more tokens than a limit allows in a minute."


class TooManyAttempts(TooMany):
    code = "too_many_attempts"
    default_message = "Too many attempts. Wait a while and try again."


class Upstream(DomainError):
    """The other side; `attempts` is for the operator's log, never for the caller."""

    code = "upstream_failed"


class UpstreamRejected(Upstream):
    code = "upstream_rejected"
    default_message = "The provider refused the gateway itself. The operator has to look at the channel."


class UpstreamRefusedRequest(Upstream):
    """The upstream found fault with the request itself; `status` and `body` are what it said."""

    code = "upstream_refused_request"
    default_message = "The provider refused the request."


class NoProviderHasModel(Upstream):
    """No provider that was asked knows the model by the name that its channel has for it: a mistake of the operator's,
    which asking again does not mend.
    """

    code = "model_not_found"
    default_message = "No provider has this model at the moment."


class UpstreamFailed(Upstream):
    default_message = "The provider did not answer properly."


class UpstreamTimedOut(Upstream):
    code = "upstream_timeout"
    default_message = "The provider did not answer in time."


class NoChannelAvailable(Upstream):
    code = "no_channel_available"
    default_message = "No channel can serve this model at the moment."


class ChannelsAtCapacity(NoChannelAvailable):
    """Their operator's caps say that their providers take no more at the moment."""

    default_message = "Every channel that serves this model is at its capacity. Try again shortly."


class Unavailable(DomainError):
    code = "unavailable"
    default_message = "The service is not available at the moment."


class LedgerUnavailable(Unavailable):
    code = "ledger_unavailable"
    default_message = "The books cannot be reached, so nothing can be charged. Try again shortly."


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    default_message = "The database cannot be reached. Try again shortly."


class ShuttingDown(Unavailable):
    code = "shutting_down"
    default_message = "This process is stopping. Send the request again."

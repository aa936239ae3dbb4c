"""Refusals around signing in: second factors, passkeys, identity providers, proving once more who one is."""

from airouter.domain.errors import (
    Conflict,
    InvalidRequest,
    NotAllowed,
    Unauthenticated,
    Upstream,
)


class MfaRequired(Unauthenticated):
    """The first step is done. `mfa_token` and `methods` say how to go on at `POST /auth/mfa`."""

    code = "mfa_required"
    default_message = "The password is right; a second factor is needed as well."


class CodeWrong(Unauthenticated):
    code = "code_wrong"
    default_message = "This code is wrong, too old, or was used already."


class PasskeyRefused(Unauthenticated):
    code = "passkey_refused"
    default_message = "This passkey is unknown here, or its answer does not hold."


class SignInExpired(Unauthenticated):
    code = "sign_in_expired"
    default_message = "This sign-in took too long, or was finished already. Begin again."


class PasswordDisabled(NotAllowed):
    code = "password_disabled"
    default_message = "Passwords are not used here. Sign in with a passkey or an identity provider."


class ReauthenticationRequired(NotAllowed):
    """`methods` says how: `POST /auth/reauthenticate`, then the same request again."""

    code = "reauthentication_required"
    default_message = "Prove once more that it is you, then send the request again."


class SecondFactorRequired(NotAllowed):
    code = "second_factor_required"
    default_message = "Operators need a second factor here. Add one in the settings under Security."


class IdentityNotKnown(NotAllowed):
    code = "identity_not_known"
    default_message = "Nobody here has linked this identity. Sign in another way, then link it in the settings."


class IdentityDomainRefused(NotAllowed):
    code = "identity_domain_refused"
    default_message = "People with this e-mail address may not sign in here with this provider."


class LastWayIn(Conflict):
    code = "last_way_in"
    default_message = "This is the only way into the account. Add another one first."


class IdentityTaken(Conflict):
    code = "identity_taken"
    default_message = "This identity is linked to somebody else here."


class WrongProof(InvalidRequest):
    """What was meant to prove who one is does not. `field` says which."""

    code = "wrong_proof"
    default_message = "This does not prove that it is you."


class IdentityProviderFailed(Upstream):
    code = "identity_provider_failed"
    default_message = "The identity provider did not answer properly. Try again, or sign in another way."


class IdentityRefused(Unauthenticated):
    code = "identity_refused"
    default_message = "What the identity provider sent does not hold. Begin again."

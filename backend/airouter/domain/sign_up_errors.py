"""Refusals around joining, proving an address, and what mail is needed for."""

from airouter.domain.errors import Conflict, Invalid, NotAllowed, Unavailable


class InvitationRequired(NotAllowed):
    code = "invitation_required"
    default_message = "Joining takes an invitation here. Ask somebody whose team you belong to."


class EmailDomainRefused(NotAllowed):
    code = "email_domain_not_allowed"
    default_message = "Addresses at this domain cannot join here."


class EmailNotVerified(NotAllowed):
    """Said only to whoever knows the password of the registration."""

    code = "email_not_verified"
    default_message = "This address is not confirmed yet. Follow the link in the mail, or ask for another."


class ChallengeRequired(Invalid):
    code = "challenge_required"
    default_message = "Joining takes a solved challenge: POST /auth/challenge gives one out."


class ChallengeFailed(Invalid):
    code = "challenge_failed"
    default_message = "The challenge is not solved, too old, or was used already. Take another."


class ChallengeUnavailable(Unavailable):
    code = "challenge_unavailable"
    default_message = "Whether the challenge is solved cannot be asked at the moment. Try again shortly."


class MailNotConfigured(Conflict):
    code = "mail_not_configured"
    default_message = "This installation sends no mail. Ask the operator."

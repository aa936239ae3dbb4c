"""Refusals about what providers keep: names that are not known, and places that are gone."""

from airouter.domain.errors import Conflict, NotFound


class ResponseNotFound(NotFound):
    code = "response_not_found"
    default_message = "This account has no such response, or it is no longer kept. Send the whole conversation."


class ConversationNotFound(NotFound):
    code = "conversation_not_found"
    default_message = "This account has no such conversation, or it is no longer kept. Send the whole conversation."


class ItemNotFound(NotFound):
    code = "item_not_found"
    default_message = "This account has no such item, or it is no longer kept. Send the item itself."


class ChannelGone(Conflict):
    """It is never looked for elsewhere: no other provider, and no other credential, knows it."""

    code = "channel_gone"
    default_message = "The channel that keeps this is no longer there. Send the whole conversation."


class ResponseInProgress(Conflict):
    code = "response_in_progress"
    default_message = "This response is still being written. Cancel it first."

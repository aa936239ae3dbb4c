"""Wherever something changes it is known who did it: such a route takes the actor, or says why it does not."""

from airouter.api.management import management

NOTHING_TO_TELL = {
    "createEphemeralKey": "for an hour, in no list",
    "askForPasswordReset": "tells it itself: user.password_reset_requested",
    "beginTotp": "nothing until it is confirmed",
    "completeSignIn": "tells it itself: session.opened",
    "acceptOperatorLink": "tells it itself: user.appointed_by_link",
    "estimatePrice": "moves nothing",
    "exportUsage": "reads one's own",
    "findRedemptionCode": "reads",
    "getPasskeyCreationOptions": "a challenge",
    "getPasskeyOptions": "a challenge",
    "getReauthenticationOptions": "a challenge",
    "joinByInvitation": "tells it itself",
    "placeOrder": "an order is its own record",
    "cancelOrder": "an order is its own record",
    "startOrder": "an order is its own record",
    "discoverModels": "asks a provider, and changes nothing",
    "discoverModelsOfDraft": "asks a provider, and changes nothing",
    "putOtherPolicy": "refuses always",
    "quoteTopUp": "moves nothing",
    "redeemCode": "a redemption is its own record",
    "refreshPriceImport": "compares a list of proposals anew",
    "refreshSession": "tells it itself when a token was stolen",
    "register": "tells it itself",
    "renamePasskey": "a name",
    "resetPassword": "tells it itself: user.password_reset",
    "sendTestMail": "a mail",
    "sendVerificationAgain": "a mail",
    "setUpInstance": "tells it itself: user.appointed_by_link",
    "signIn": "tells it itself: session.opened",
    "signInWithPasskey": "tells it itself: session.opened",
    "takeChallenge": "a challenge",
    "takeNotice": "the inbox is its own record",
    "testAlert": "a test",
    "testChannel": "a test",
    "testIdentityProvider": "a test",
    "updateMe": "a language",
    "verifyEmail": "tells it itself",
    "visitIdentityProvider": "nothing until one comes back",
}


def test_every_route_that_changes_something_knows_who_it_was() -> None:
    app = management(lambda: None)
    without = {
        handler.operation_id
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if {"POST", "PUT", "PATCH", "DELETE"} & set(handler.http_methods)
        and route.path_format.startswith("/api/v1")
        and "actor" not in handler.parsed_fn_signature.parameters
    }
    assert without <= NOTHING_TO_TELL.keys(), f"these do not know who acts: {sorted(without - NOTHING_TO_TELL.keys())}"

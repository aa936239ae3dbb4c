"""The OpenAPI document of the management API: `openapi/management.json`, served at `/openapi.json`.

Made from the routes themselves, so it cannot say anything else than what is served; sorted, so that the same routes
give the same bytes and a change of the API is a diff that people can read.
"""

import copy
from typing import Any, Final

import msgspec
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server, Tag

from airouter import __version__
from airouter.api.callers import PROVIDERS as CALLERS
from airouter.api.callers import STRANGERS, permission_of
from airouter.api.documents import described
from airouter.api.management import management
from airouter.domain.permission import Permission

_METHODS: Final = ("get", "put", "post", "delete", "patch")
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "1-255 printable characters of your choice: the same request with the same key is done once, and "
    "its first answer is replayed for 24 hours (`idempotency-replayed: true`), without the secrets in it.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_TAGS: Final = (
    (
        "Sign in",
        "Sessions. The access token goes into the Authorization header, the refresh token stays in its cookie.",
    ),
    ("Me", "The person who is signed in."),
    ("Teams", "Accounts with several members: who belongs to them, as what, and invitations."),
    ("Wallet", "What is there, and what moved. Amounts are integer quota."),
    ("Keys", "API keys for the gateway's doors."),
    ("Budgets", "What keys and members may spend in a day, a week, a month, or altogether."),
    ("Sign up", "Joining, proving an address, and a new password by mail."),
    ("Account", "What concerns one account as a whole."),
    ("Tokens", "Management tokens, for scripts that use this API."),
    ("Usage", "What was called and what it cost, with receipts that can be recomputed."),
    ("Money in", "What can be bought, orders, redemption codes and referrals."),
    ("Alerts", "What an account is told of by mail and webhook, and when."),
    ("Webhooks", "Where payment processors tell what became of an order."),
    ("Public", "For everybody."),
    ("Admin", "For operators."),
    ("Operations", "For load balancers."),
)
_DESCRIPTION: Final = (
    "Accounts, keys, usage and money of the gateway. Amounts are integer quota; `quota_per_unit` of `GET "
    "/api/v1/status` says how much one unit of the currency is. Refusals are RFC 9457 problems with a stable `code`. "
    "Clients ignore fields and enum values that they do not know."
)


def management_document() -> dict[str, Any]:
    """The whole document, sorted."""
    config = OpenAPIConfig(
        title="AI Router: management",
        version=__version__,
        description=_DESCRIPTION,
        servers=[Server(url="/")],
        tags=[Tag(name=name, description=words) for name, words in _TAGS],
        components=Components(
            security_schemes={
                "access_token": SecurityScheme(
                    type="http", scheme="bearer", bearer_format="JWT", description="From `POST /api/v1/auth/login`."
                )
            }
        ),
        use_handler_docstrings=True,
    )
    app = management(_no_services, openapi=config)
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    _drop_own_routes(document)
    for path, method, operation in operations(document):
        _finish(path, method, operation, _handler_of(app, path, method))
    _tidy(document["paths"])
    return _sorted(document)


def management_json() -> bytes:
    """The bytes of the committed file."""
    return as_json(management_document())


def as_json(document: dict[str, Any]) -> bytes:
    """A document as it is committed: sorted, indented, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(_sorted(document)), indent=2) + b"\n"


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(path, method, operation) of everything in a document."""
    return [
        (path, method, item[method])
        for path, item in sorted(document["paths"].items())
        for method in _METHODS
        if method in item
    ]


def _no_services() -> Any:
    raise AssertionError("a document needs no services")


def _drop_own_routes(document: dict[str, Any]) -> None:
    for path in [path for path in document["paths"] if path.startswith("/schema")]:
        del document["paths"][path]


def _handler_of(app: Any, path: str, method: str) -> Any:
    """The handler behind an operation."""
    for route in app.routes:
        if route.path_format == path:
            for handler in route.route_handlers:
                if method.upper() in handler.http_methods:
                    return handler
    raise AssertionError(f"{method} {path} is in the document, but nowhere else")


def _tidy(value: Any) -> None:
    """Takes away what says nothing."""
    if isinstance(value, dict):
        if value.get("in") in {"query", "header", "path"}:
            for noise in ("allowEmptyValue", "allowReserved", "deprecated"):
                value.pop(noise, None)
            if isinstance(value.get("schema"), dict) and "description" in value:
                value["schema"].pop("description", None)
        if value.get("headers") == {}:
            del value["headers"]
        if value.get("description") == "Request fulfilled, document follows":
            value["description"] = "Done"
        for inner in value.values():
            _tidy(inner)
    elif isinstance(value, list):
        for inner in value:
            _tidy(inner)


def _finish(path: str, method: str, operation: dict[str, Any], handler: Any) -> None:
    """What Litestar cannot know: who may call, idempotency, and the shape of problems."""
    callers = frozenset(CALLERS) & frozenset(handler.parsed_fn_signature.parameters)
    assert len(callers) == 1, f"{method} {path} must name exactly one kind of caller, not {sorted(callers)}"
    if "{account_id}" in path:  # the account in the address is the one that is meant
        parameters = operation.get("parameters", [])
        operation["parameters"] = [one for one in parameters if one["name"] != "X-Account-Id"]
    operation["security"] = [] if callers <= STRANGERS else [{"access_token": []}]
    if method == "post" and not callers <= STRANGERS:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    operation.pop("deprecated", None)
    responses = operation["responses"]
    permission = permission_of(handler)
    if permission is not None:
        _say_permission(operation, permission)
    responses.pop("400", None)  # our refusals of what cannot be meant are 422
    for status, response in responses.items():
        if status >= "400" and path.startswith("/api/"):
            content = response.get("content", {})
            response["content"] = {"application/problem+json": next(iter(content.values()))} if content else {}
    responses.get("204", {}).pop("content", None)
    if path.startswith("/api/"):
        _say_what_holds_for_all(method, operation)


def _say_what_holds_for_all(method: str, operation: dict[str, Any]) -> None:
    """Refusals that come before any handler: of the token, the parameters, the account, the body, a repetition."""
    parameters = operation.get("parameters", [])
    statuses: set[int] = set()
    if operation["security"]:
        statuses |= {401, 429}
    if parameters:
        statuses.add(422)
    if any(one["in"] == "path" or one["name"] == "X-Account-Id" for one in parameters):
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {408, 413, 415, 422}
    if method == "post" and operation["security"]:
        statuses |= {409, 422}
    for status in statuses:
        operation["responses"].setdefault(str(status), described(status))


def _say_permission(operation: dict[str, Any], permission: Permission) -> None:
    """What the call needs, for people and for machines; whoever lacks it, or a token without that scope, gets a 403."""
    operation["x-permission"] = permission.name
    responses = operation["responses"]
    refused = copy.deepcopy(responses.get("403", responses["401"]))
    whose = ", ".join(sorted(permission.team_roles or permission.roles)) or "anybody who is signed in"
    token = "; never with a management token" if permission.is_session_only else ""
    refused["description"] = f"Not allowed to do this. It needs `{permission.name}` ({whose}{token})"
    responses["403"] = refused


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value

"""The OpenAPI document of the doors, made from their table: `openapi/gateway.json`, served at `/openapi/gateway.json`.

It describes what the gateway itself reads and promises. Everything else in a body belongs to the provider and passes
through, so bodies are open objects here.
"""

from typing import Any, Final

from airouter import __version__
from airouter.api.arrivals import ARRIVAL_SECONDS_MAX
from airouter.api.doors.kept import KEPT, KeptAddress
from airouter.gateway.door import DOORS, Door

_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"], "description": "Stable; see the table of refusals in the guide."},
            },
        }
    },
}

_MODEL: Final = {
    "type": "object",
    "required": ["id", "object", "created", "owned_by"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "model"},
        "created": {"type": "integer", "description": "Seconds since 1970."},
        "owned_by": {"type": "string"},
    },
}

_REFUSALS: Final = {
    "400": "The request cannot be meant; `param` says where. A provider's own 400 is passed on.",
    "401": "`invalid_api_key`, `key_disabled` or `key_expired`",
    "403": "`ip_not_allowed`, `model_not_allowed`, `group_not_allowed` or `account_paused`",
    "404": "`model_not_found`: unknown, not available to this key, or without a price",
    "408": f"`request_timeout`: the request did not come in within {ARRIVAL_SECONDS_MAX} seconds",
    "413": "`body_too_large`: larger than the operator allows; the message says how much that is",
    "429": "`insufficient_quota` and `key_limit_reached` (do not retry), `quota_in_use`, `rate_limit_exceeded`",
    "502": "`upstream_failed` or `upstream_rejected`",
    "503": "`no_channel_available`, `ledger_unavailable` or `shutting_down`",
    "504": "`upstream_timeout`",
}

_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "chat.completions": {
        "required": ["model", "messages"],
        "properties": {
            "model": {"type": "string"},
            "messages": {"type": "array", "items": {"type": "object"}},
            "stream": {"type": ["boolean", "null"]},
            "max_tokens": {"type": ["integer", "null"], "minimum": 0},
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 0},
            "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
        },
    },
    "completions": {
        "required": ["model"],
        "properties": {
            "model": {"type": "string"},
            "prompt": {},
            "stream": {"type": ["boolean", "null"]},
            "max_tokens": {"type": ["integer", "null"], "minimum": 0},
            "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
        },
    },
    "embeddings": {
        "required": ["model", "input"],
        "properties": {"model": {"type": "string"}, "input": {}},
    },
    "responses": {
        "required": ["model"],
        "properties": {
            "model": {"type": "string"},
            "input": {},
            "stream": {"type": ["boolean", "null"]},
            "store": {"type": ["boolean", "null"]},
            "background": {"type": ["boolean", "null"]},
            "previous_response_id": {"type": ["string", "null"]},
            "conversation": {},
            "max_output_tokens": {"type": ["integer", "null"], "minimum": 0},
        },
    },
    "responses.compact": {
        "required": ["model"],
        "properties": {"model": {"type": "string"}, "input": {}, "previous_response_id": {"type": ["string", "null"]}},
    },
    "responses.input_tokens": {
        "required": ["model"],
        "properties": {"model": {"type": "string"}, "input": {}},
    },
    "messages": {
        "required": ["model", "max_tokens", "messages"],
        "properties": {
            "model": {"type": "string"},
            "max_tokens": {"type": "integer", "minimum": 0},
            "messages": {"type": "array", "items": {"type": "object"}},
            "stream": {"type": ["boolean", "null"]},
        },
    },
    "generate_content": {"required": ["contents"], "properties": {"contents": {}}},
    "moderations": {
        "required": ["input"],
        "properties": {
            "model": {"type": ["string", "null"], "description": "`omni-moderation-latest` where none is named."},
            "input": {},
        },
    },
    "messages.count_tokens": {
        "required": ["model", "messages"],
        "properties": {"model": {"type": "string"}, "messages": {"type": "array", "items": {"type": "object"}}},
    },
    "generate_content.count_tokens": {
        "properties": {"contents": {}, "generateContentRequest": {"type": "object"}},
    },
    "embed_content": {"required": ["content"], "properties": {"content": {}}},
    "batch_embed_contents": {
        "required": ["requests"],
        "properties": {"requests": {"type": "array", "items": {"type": "object"}}},
    },
}


_TAGS: Final = (
    ("Chat", "OpenAI's chat completions, and the completions before them.", ("/v1/chat/", "/v1/completions")),
    ("Responses", "OpenAI's responses, and what is kept of them.", ("/v1/responses",)),
    ("Conversations", "Conversations that a provider keeps, for responses.", ("/v1/conversations",)),
    ("Messages", "Anthropic's dialect.", ("/v1/messages",)),
    ("Gemini", "Google's dialect.", ("/v1beta/",)),
    ("Vectors and moderation", "OpenAI's embeddings and moderations.", ("/v1/embeddings", "/v1/moderations")),
    ("Models", "What a key may call.", ("/v1/models",)),
)
"""Name, words, and the addresses that belong there."""

_MODEL_NAME: Final = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "A model's name; slashes may stand as they are or percent-encoded.",
}


def gateway_document() -> dict[str, Any]:
    """The whole document, ready to be written as JSON."""
    paths: dict[str, Any] = {}
    for door in DOORS:
        paths[door.path] = {door.method.lower(): _operation(door)}
        if "{model}" in door.path:
            paths[door.path]["parameters"] = [_MODEL_NAME]
    paths["/v1/models"] = {"get": _read("listModels", "The models that this key may use.", _model_list())}
    paths["/v1/models/{model}"] = {
        "parameters": [_MODEL_NAME],
        "get": _read("getModel", "One model that this key may use.", {"$ref": "#/components/schemas/Model"}),
    }
    paths["/v1beta/models"] = {"get": _read("listGeminiModels", "The same in Google's shape.", {"type": "object"})}
    paths["/v1beta/models/{model}"] = {
        "parameters": [_MODEL_NAME],
        "get": _read("getGeminiModel", "One model in Google's shape.", {"type": "object"}),
    }
    for address in KEPT:
        operation = _about(address)
        paths.setdefault(address.path, {"parameters": _names(address)})[address.method.lower()] = operation
    for path, item in paths.items():
        for operation in item.values():
            if "operationId" in operation:
                operation["tags"] = [_tag_of(path)]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AI Router: gateway",
            "version": __version__,
            "description": "The addresses of OpenAI, Anthropic and Gemini with a key of this gateway. Every answer "
            "carries `x-request-id`, under which the usage page shows what the call cost.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words, _ in _TAGS],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, "Model": _MODEL},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key, `sk-air-…`."}},
        },
        "security": [{"key": []}],
    }


def _tag_of(path: str) -> str:
    return next(name for name, _, prefixes in _TAGS if path.startswith(prefixes))


def _operation(door: Door) -> dict[str, Any]:
    answers: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
    if door.writes:
        answers["text/event-stream"] = {"schema": {"type": "string"}}
    schema = {"type": "object", "additionalProperties": True, **_FIELDS[door.endpoint]}
    return {
        "operationId": door.operation_id,
        "summary": door.summary,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "What the provider answered.", "content": answers}, **_refusals()},
    }


def _about(address: KeptAddress) -> dict[str, Any]:
    """A request about what a provider keeps."""
    schema = {"type": "object"}
    answer = {"description": "What the provider answered.", "content": {"application/json": {"schema": schema}}}
    operation: dict[str, Any] = {
        "operationId": address.operation_id,
        "summary": address.summary,
        "responses": {"200": answer, **_refusals(), "404": _unknown(), "409": _gone()},
    }
    if address.has_body:
        operation["requestBody"] = {"required": False, "content": {"application/json": {"schema": schema}}}
    return operation


def _names(address: KeptAddress) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": "As it was minted."}
        for name in address.names
    ]


def _unknown() -> dict[str, Any]:
    words = "`response_not_found` or `conversation_not_found`: this account has nothing of that name"
    return {"description": words, "content": _error_content()}


def _gone() -> dict[str, Any]:
    words = "`channel_gone`: where it is kept can no longer be asked; `response_in_progress`: cancel it first"
    return {"description": words, "content": _error_content()}


def _error_content() -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _read(operation_id: str, summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": "Found.", "content": {"application/json": {"schema": schema}}}
    kept = {status: body for status, body in _refusals().items() if status in {"401", "403", "404"}}
    return {"operationId": operation_id, "summary": summary, "responses": {"200": answer, **kept}}


def _model_list() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": {"$ref": "#/components/schemas/Model"}},
        },
    }


def _refusals() -> dict[str, Any]:
    content = _error_content()
    return {status: {"description": words, "content": content} for status, words in _REFUSALS.items()}

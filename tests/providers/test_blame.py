"""Whose fault vendors' refusals are: each body has the shape that the vendor documents, or that reports show of it."""

import json
from typing import Any

import pytest

from airouter.providers.registry import PROVIDERS


def verdict(vendor: str, status: int, body: dict[str, Any] | list[Any] | str) -> str:
    return PROVIDERS[vendor].refusal(status, json.dumps(body).encode())


def said(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


def coded(code: str, message: str = "No.", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **more}}


@pytest.mark.parametrize(
    ("vendor", "status", "body"),
    [
        # openai.com: both have been seen with either member
        ("openai", 429, coded("insufficient_quota", "You exceeded your current quota.", type="insufficient_quota")),
        ("openai", 429, coded("billing_not_active", "Your account is not active.", type="billing_not_active")),
        ("openai", 400, coded("billing_hard_limit_reached", "Billing hard limit has been reached")),
        # developers.openai.com/api/docs/guides/error-codes
        ("openai", 429, coded("credit_balance_exhausted", "No credits are left.")),
        ("openai", 429, coded("organization_spend_limit_exceeded")),
        ("openai", 429, coded("project_spend_limit_exceeded")),
        ("openai", 429, coded("organization_usage_limit_exceeded")),
        # platform.claude.com/docs/en/api/rate-limits, and reports since 2025
        (
            "anthropic",
            400,
            said("You have reached your specified API usage limits. You will regain access on 2026-04-01."),
        ),
        (
            "anthropic",
            400,
            said("You have reached your specified workspace API usage limits.", type="invalid_request_error"),
        ),
        (
            "anthropic",
            429,
            said(
                "You have reached your API usage limits: your organization has crossed its monthly threshold.",
                type="rate_limit_error",
                details={"error_code": "enforced_spend_limit_reached"},
            ),
        ),
        # help.aliyun.com/en/model-studio/error-code
        ("qwen", 400, coded("Arrearage", "Access denied, please make sure your account is in good standing.")),
        ("qwen", 403, coded("AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted.")),
        # docs.bigmodel.cn/cn/faq/api-code, docs.z.ai/api-reference/api-code
        ("zhipu", 429, coded("1113", "余额不足或无可用资源包,请充值。")),
        ("zai", 429, coded("1113", "Insufficient balance or no resource package. Please recharge.")),
        # docs.fireworks.ai/guides/inference-error-codes, and reports of 2026
        (
            "fireworks",
            412,
            coded(
                "PRECONDITION_FAILED",
                "Account acme is suspended, possibly due to reaching the monthly spending limit",
                type="error",
            ),
        ),
        # platform.kimi.ai/docs/api/errors
        ("moonshot", 429, said("Your account o-1 is suspended", type="exceeded_current_quota_error")),
        ("moonshot", 403, said("Your account o-1 <k> is not active", type="exceeded_current_quota_error")),
        # reports of 2026
        (
            "xai",
            429,
            {
                "code": "Some resource has been exhausted",
                "error": "Your team 1-2-3 has either used all available credits or reached its monthly spending limit.",
            },
        ),
        ("perplexity", 401, said("You exceeded your current quota", type="insufficient_quota", code=401)),
        ("minimax", 429, {"error": {"type": "insufficient_balance_error", "message": "insufficient balance (1008)"}}),
        ("groq", 400, coded("organization_restricted", "Restricted.", type="invalid_request_error")),
        (
            "anthropic",
            400,
            {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "This organization has been disabled."},
            },
        ),
        # volcengine.com/docs/82379/1299023
        ("volcengine", 403, coded("AccountOverdueError", "The request failed because of an overdue balance.")),
        ("siliconflow", 403, {"code": 30011, "message": "The selected model requires paid balance.", "data": None}),
        ("deepseek", 402, said("Insufficient Balance", type="unknown_error")),
        ("openrouter", 402, said("Insufficient credits.", code=402)),
        ("openrouter", 403, said("Key limit exceeded (total limit).", code=403)),
        ("jina", 402, {"detail": "Account balance not enough to run this query, please recharge"}),
    ],
)
def test_empty_purse_rests_the_credential_whatever_status_says_it(vendor: str, status: int, body: dict[str, Any]):
    assert verdict(vendor, status, body) == "funds"


@pytest.mark.parametrize(
    ("vendor", "status", "body"),
    [
        ("zhipu", 400, coded("1211", "模型不存在，请检查模型代码。")),
        ("zai", 400, coded("1211", "Unknown Model, please check the model code.")),
        ("volcengine", 404, coded("ModelNotOpen", "Your account 1 has not activated it.", type="NotFound")),
        ("volcengine", 400, coded("InvalidEndpoint.ClosedEndpoint", "It is currently closed.")),
        ("volcengine", 404, coded("InvalidEndpointOrModel.NotFound", "The model or endpoint x does not exist")),
        ("qwen", 403, {"code": "AccessDenied.Unpurchased", "message": "Access to model denied."}),
        ("qwen", 404, coded("model_not_found", "The model `x` does not exist or you do not have access to it.")),
        ("siliconflow", 400, {"code": 20012, "message": "Model does not exist.", "data": None}),
        ("siliconflow", 403, {"code": 30003, "message": "Model disabled.", "data": None}),
        ("siliconflow", 403, "Model disabled."),
        ("openrouter", 404, said("No endpoints found for a/b:free.", code=404)),
        ("openrouter", 404, said("No endpoints found matching your data policy.", code=404)),
        ("openrouter", 400, said("a/b is not a valid model ID", code=400)),
    ],
)
def test_model_that_the_vendor_does_not_have_for_us_is_the_channels_fault(
    vendor: str, status: int, body: dict[str, Any] | str
):
    assert verdict(vendor, status, body) == "model"


@pytest.mark.parametrize(
    ("vendor", "body"),
    [
        (
            "xai",
            {
                "code": "The caller does not have permission to execute the specified operation",
                "error": "Content violates usage guidelines. Team: t, Failed check: SAFETY_CHECK_TYPE_BIO",
            },
        ),
        ("xai", {"code": "permission-denied", "error": "Content violates usage guidelines. "}),
        (
            "openrouter",
            {
                "error": {
                    "code": 403,
                    "message": 'a/b requires moderation on OpenAI. Your input was flagged for "violence".',
                    "metadata": {"reasons": ["violence"], "flagged_input": "…", "model_slug": "a/b"},
                }
            },
        ),
        ("openrouter", {"error": {"code": 403, "message": "Request blocked: prompt injection patterns detected"}}),
        (
            "openrouter",
            {"error": {"code": 403, "message": "No.", "metadata": {"error_type": "content_policy_violation"}}},
        ),
    ],
)
def test_what_one_client_asks_for_puts_no_credential_to_rest(vendor: str, body: dict[str, Any]):
    assert verdict(vendor, 403, body) == "request"


@pytest.mark.parametrize(
    ("vendor", "status", "body", "expected"),
    [
        ("xai", 403, {"code": "permission-denied", "error": "Access to the chat endpoint is denied"}, "funds"),
        ("xai", 400, {"code": "invalid-argument", "error": "Incorrect API key provided: x."}, "credential"),
        ("xai", 404, {"code": "not-found", "error": "The model grok-9 does not exist"}, "model"),
        ("perplexity", 401, said("Invalid API key", type="authentication_error"), "credential"),
        ("moonshot", 429, said("The engine is overloaded", type="engine_overloaded_error"), "limited"),
        ("fireworks", 412, coded("PRECONDITION_FAILED", "The adapter could not be loaded"), "channel"),
        ("zhipu", 429, coded("1302", "您的账户已达到速率限制，请您控制请求频率"), "limited"),
        ("zhipu", 400, coded("1301", "系统检测到输入或生成内容可能包含不安全或敏感内容"), "request"),
        ("openrouter", 404, said("No endpoints found that support tool use.", code=404), "request"),
        ("openrouter", 403, {"error": {"message": "Author a/b is banned", "metadata": []}}, "funds"),
        ("openai", 400, coded("x", "The text 'your team x has either used all available credits' is odd"), "request"),
    ],
)
def test_what_looks_alike_is_told_apart(vendor: str, status: int, body: dict[str, Any], expected: str):
    assert verdict(vendor, status, body) == expected


def test_alibabas_insufficient_quota_is_one_of_tokens_in_a_minute():
    """alibabacloud.com/help/en/model-studio/rate-limit: "You exceeded your current quota" is the limit of tokens."""
    refusal = coded(
        "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."
    )
    assert verdict("qwen", 429, refusal) == "limited"
    assert verdict("openai-compatible", 429, refusal) == "funds"

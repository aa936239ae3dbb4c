"""Every vendor that a channel can name, as data: where it lies, what it takes, how it differs.

`base_url` is what that vendor's own SDK, or OpenAI's with that vendor, takes as its base URL. Only what a recording or
a vendor's documentation says stands here; the comment of a row names the page (all read in 2026). What a row does not
know is left as OpenAI does it, and the vendor says itself what it does not take.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from airouter.providers.adapting import Adaptation
from airouter.providers.reporting import Habits
from airouter.wire.endpoint import Endpoint

CredentialForm = Literal["key", "optional", "service_account", "azure", "aws", "none"]
"""`key`: an API key. `optional`: a key where the server was started with one. The others: see the vendor's hint."""


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    label: str
    base_url: str = ""
    """Empty: every customer has an address of their own, see `base_url_hint`."""
    base_url_hint: str = ""
    credential: CredentialForm = "key"
    credential_hint: str = ""
    """What a credential looks like; in Chinese, where it has words, in vendor_words_zh.py."""
    endpoints: tuple[Endpoint, ...]
    """What it is asked for in its own dialect."""
    docs: str = ""
    habits: Habits = Habits()
    adaptation: Adaptation | None = None
    asks_for_usage: bool = True
    """A stream says its usage only when asked by `stream_options`. False: it always does, or knows no such member."""
    quota_is_pace: bool = False
    """What it calls an insufficient quota with a 429 is one of tokens in a minute; an empty purse has another code."""
    notes: str = ""
    """For the operator who sets up a channel; in Chinese in vendor_words_zh.py. Code stands between backticks."""


CHAT: Final[tuple[Endpoint, ...]] = ("chat.completions",)
CHAT_AND_VECTORS: Final[tuple[Endpoint, ...]] = ("chat.completions", "embeddings")
CLASSIC: Final[tuple[Endpoint, ...]] = ("chat.completions", "completions", "embeddings")
VECTORS: Final[tuple[Endpoint, ...]] = ("embeddings",)

ONLY_MAX_TOKENS: Final = Adaptation(renames=(("max_completion_tokens", "max_tokens"),))
"""The vendor documents `max_tokens` alone; unknown members it ignores, and with one the client's limit."""

ONLY_WHOLE_LIMIT: Final = Adaptation(renames=(("max_tokens", "max_completion_tokens"),))
"""To the vendor `max_tokens` is a limit of the answer without its thoughts, which are billed as well; one of both is
called as OpenAI calls it, and is what a call was admitted for.
"""

TAKES_THOUGHTS: Final = frozenset({"deepseek", "moonshot", "siliconflow", "vllm", "volcengine", "zai", "zhipu"})
"""Vendors of models that want the `reasoning_content` of their calls back while tools run. DeepSeek refuses a request
without it (api-docs.deepseek.com/guides/thinking_mode, 2026); Groq and Mistral refuse one with it.
"""

VENDORS: Final[Mapping[str, Vendor]] = {
    # developers.openai.com/api/docs: "Web search" of chat completions: a model with -search in its name always does.
    "openai": Vendor(
        label="OpenAI",
        base_url="https://api.openai.com/v1",
        credential_hint="sk-…",
        endpoints=(*CLASSIC, "responses", "responses.input_tokens", "responses.compact", "moderations"),
        docs="https://platform.openai.com/docs/api-reference",
        habits=Habits(searching_models="-search"),
    ),
    "openai-compatible": Vendor(
        label="OpenAI-compatible",
        base_url_hint="https://api.example.com/v1",
        credential="optional",
        endpoints=(*CLASSIC, "moderations"),
        notes="Any server that speaks OpenAI's chat completions. Nothing in the client's request is adapted.",
    ),
    "anthropic": Vendor(
        label="Anthropic",
        base_url="https://api.anthropic.com",
        credential_hint="sk-ant-…",
        endpoints=("messages", "messages.count_tokens"),
        docs="https://docs.anthropic.com/en/api",
        notes="The address has no version, as in Anthropic's SDK.",
    ),
    # docs.aws.amazon.com/bedrock/latest/APIReference: Converse and ConverseStream, for every text model there.
    "bedrock": Vendor(
        label="Amazon Bedrock",
        base_url_hint="https://bedrock-runtime.us-east-1.amazonaws.com",
        credential="aws",
        credential_hint="AKIA…:secret access key[:session token], or a Bedrock API key (ABSK…)",
        endpoints=(),
        docs="https://docs.aws.amazon.com/bedrock/latest/APIReference",
        notes="The region stands in the address. A model is named by its id or its inference profile's, or by an ARN.",
    ),
    # docs.cohere.com/reference/chat and /embed: v2. The version is ours to add.
    "cohere": Vendor(
        label="Cohere",
        base_url="https://api.cohere.com",
        endpoints=("embeddings",),
        docs="https://docs.cohere.com/reference/about",
        notes="The address has no version. Chat is translated for every text door. What Cohere bills is charged, which "
        "is less than its models read.",
    ),
    "gemini": Vendor(
        label="Google Gemini",
        base_url="https://generativelanguage.googleapis.com",
        credential_hint="AIza…",
        endpoints=("generate_content", "generate_content.count_tokens", "embed_content", "batch_embed_contents"),
        docs="https://ai.google.dev/api",
        notes="The address has no version, as in Google's SDK.",
    ),
    # learn.microsoft.com/azure/ai-foundry/openai/latest, and recorded: /openai/v1/responses.
    "azure-openai": Vendor(
        label="Azure OpenAI",
        base_url_hint="https://my-resource.openai.azure.com",
        credential="azure",
        credential_hint='a key; a token of Entra ID; or {"tenant_id": …, "client_id": …, "client_secret": …}',
        endpoints=(*CLASSIC, "responses", "responses.input_tokens", "responses.compact"),
        docs="https://learn.microsoft.com/azure/ai-foundry/openai/latest",
        notes="The upstream's name of a model is that of its deployment. Without `options.api_version`: the v1 API; "
        "with it: `/openai/deployments/…` of that version.",
    ),
    # docs.cerebras.ai/api-reference/chat-completions: max_completion_tokens; completions too. No embeddings.
    "cerebras": Vendor(
        label="Cerebras",
        base_url="https://api.cerebras.ai/v1",
        credential_hint="csk-…",
        endpoints=("chat.completions", "completions"),
        docs="https://inference-docs.cerebras.ai",
    ),
    # api-docs.deepseek.com/api/create-chat-completion: roles system, user, assistant, tool; max_tokens only.
    # Recorded in 2026: /responses, whole and streamed, with OpenAI's figures.
    "deepseek": Vendor(
        label="DeepSeek",
        base_url="https://api.deepseek.com",
        credential_hint="sk-…",
        endpoints=("chat.completions", "responses"),
        docs="https://api-docs.deepseek.com",
        adaptation=Adaptation(renames=ONLY_MAX_TOKENS.renames, developer_is_system=True),
    ),
    # docs.fireworks.ai/api-reference/post-chatcompletions: max_tokens and max_completion_tokens are the same.
    # docs.fireworks.ai/guides/response-api: /responses keeps what was said for 30 days unless `store` is false, and
    # runs MCP tools itself; it is not asked.
    "fireworks": Vendor(
        label="Fireworks",
        base_url="https://api.fireworks.ai/inference/v1",
        credential_hint="fw_…",
        endpoints=CLASSIC,
        docs="https://docs.fireworks.ai/api-reference",
        notes="Responses are translated: its own Responses API would keep them, and run tools that its usage does not "
        "count.",
    ),
    # console.groq.com/docs/openai: chat in OpenAI's form; no embeddings, no older completions.
    "groq": Vendor(
        label="Groq",
        base_url="https://api.groq.com/openai/v1",
        credential_hint="gsk_…",
        endpoints=CHAT,
        docs="https://console.groq.com/docs/openai",
        notes="`groq/compound` runs tools by itself, which are billed and not counted: put them into the rate "
        "of a request.",
    ),
    # docs.siliconflow.cn/docs/api/chat-completions-post: max_tokens is without the thoughts, which thinking_budget (128
    # to 32768, for most models that reason) bounds; no limit is of both. Embeddings beside it.
    "siliconflow": Vendor(
        label="SiliconFlow",
        base_url="https://api.siliconflow.cn/v1",
        credential_hint="sk-…",
        endpoints=CHAT_AND_VECTORS,
        docs="https://docs.siliconflow.cn",
        adaptation=ONLY_MAX_TOKENS,
        notes="Outside China: `https://api.siliconflow.com/v1`. `max_tokens` does not count thoughts there, which are "
        "billed: bound them by a rule of the channel, such as a default of 4096 for `thinking_budget`.",
    ),
    # jina.ai/embeddings, api.jina.ai/openapi.json: OpenAI's shape, but `embedding_type` (float, base64, …)
    # for `encoding_format`.
    "jina": Vendor(
        label="Jina AI",
        base_url="https://api.jina.ai/v1",
        credential_hint="jina_…",
        endpoints=VECTORS,
        docs="https://jina.ai/embeddings",
        adaptation=Adaptation(renames=(("encoding_format", "embedding_type"),), leaves_out=("user",)),
    ),
    # platform.minimax.io/docs/api-reference/text-openai-api: max_completion_tokens, stream_options. Without
    # reasoning_split the thoughts stand in the content, between <think> and </think>, and are wanted back so.
    "minimax": Vendor(
        label="MiniMax",
        base_url="https://api.minimax.io/v1",
        endpoints=CHAT,
        docs="https://platform.minimax.io/docs/api-reference/text-openai-api",
        notes="In China: `https://api.minimaxi.com/v1`. Thoughts stand in the answer between `<think>` and `</think>`; "
        "with `reasoning_split`, of the client or of a rule of the channel, beside it.",
    ),
    # docs.mistral.ai/api: unknown members are refused with 422 `extra_forbidden`, `max_completion_tokens` among them
    # (recorded in public reports); the seed is called random_seed; roles are system, user, assistant, tool; the last
    # event of every stream says the usage. Ids of tool calls have nine letters
    # or digits (its refusal says so). A total beyond prompt and completion is audio that was listened to.
    "mistral": Vendor(
        label="Mistral",
        base_url="https://api.mistral.ai/v1",
        endpoints=(*CHAT_AND_VECTORS, "moderations"),
        docs="https://docs.mistral.ai/api",
        habits=Habits(excess_is="audio_input"),
        adaptation=Adaptation(
            renames=(
                ("max_completion_tokens", "max_tokens"),
                ("seed", "random_seed"),
                ("dimensions", "output_dimension"),
            ),
            leaves_out=(
                "stream_options",
                "user",
                "store",
                "service_tier",
                "safety_identifier",
                "prompt_cache_retention",
                "prompt_cache_options",
            ),
            developer_is_system=True,
            call_id_length=9,
        ),
        asks_for_usage=False,
    ),
    # platform.kimi.ai/docs (once platform.moonshot.ai), as others quote it: the base URL, and the usage of a stream in
    # `choices[0].usage` of its last event. Both that place and the usual one are read. Not seen recorded. Its page
    # api/errors: `exceeded_current_quota_error` is an empty purse, whatever the status.
    "moonshot": Vendor(
        label="Moonshot (Kimi)",
        base_url="https://api.moonshot.ai/v1",
        credential_hint="sk-…",
        endpoints=CHAT,
        docs="https://platform.kimi.ai/docs/api/chat",
        notes="In China: `https://api.moonshot.cn/v1`; the two know different keys.",
    ),
    # docs.ollama.com/api/openai-compatibility: max_tokens, stream_options.include_usage; /responses too, without what
    # it remembers: translated all the same. …/api/authentication: a key for its cloud alone.
    "ollama": Vendor(
        label="Ollama",
        base_url="http://localhost:11434/v1",
        credential="optional",
        endpoints=CLASSIC,
        docs="https://docs.ollama.com/api/openai-compatibility",
        adaptation=ONLY_MAX_TOKENS,
        notes="Policy `network` has to allow the address. Ollama's cloud: `https://ollama.com/v1`, with a key.",
    ),
    # …/guides/overview/multimodal/pdfs: a model that reads no files has mistral-ocr read them, which is billed by the
    # page, unless another engine is named.
    # openrouter.ai/docs/api-reference: `models`, `preset` and `route` choose other models. Its usage names searches
    # server_tool_use, what answers say in 2026 is server_tool_use_details. Tools and plugins: hosted_tools.py.
    "openrouter": Vendor(
        label="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        credential_hint="sk-or-v1-…",
        endpoints=CLASSIC,
        docs="https://openrouter.ai/docs/api-reference/overview",
        habits=Habits(
            searches=(
                (("server_tool_use_details", "web_search_requests"), ("server_tool_use", "web_search_requests")),
            ),
            chooses_models_by=("models", "preset", "route"),
        ),
        adaptation=Adaptation(pdf_engine="native"),
    ),
    # docs.perplexity.ai/docs/sonar/openai-compatibility: /chat/completions below the bare host; max_tokens; every event
    # of a stream says the usage. It ended on 27 September 2026, by the notes of integrators (Vercel's AI SDK,
    # TrueFoundry; Fabric: requests since then fail with "Sonar is now the Agent API"). The vendor's own page "Migrate
    # from Sonar", as it could be read, says no date. The row is for channels that exist.
    "perplexity": Vendor(
        label="Perplexity",
        base_url="https://api.perplexity.ai",
        credential_hint="pplx-…",
        endpoints=CHAT,
        docs="https://docs.perplexity.ai",
        habits=Habits(searches=((("num_search_queries",),),)),
        adaptation=Adaptation(
            renames=ONLY_MAX_TOKENS.renames, leaves_out=("stream_options",), developer_is_system=True
        ),
        asks_for_usage=False,
        notes="The Sonar API, which ended on 27 September 2026: calls fail since then. Make a channel of "
        "`perplexity-agent` with the same key, with `perplexity/sonar` as the upstream's name of its models, and "
        "delete this one.",
    ),
    # docs.perplexity.ai/docs/agent-api/openai-compatibility: OpenAI's responses, below /v1; presets choose models.
    "perplexity-agent": Vendor(
        label="Perplexity (Agent API)",
        base_url="https://api.perplexity.ai/v1",
        credential_hint="pplx-…",
        endpoints=("responses",),
        docs="https://docs.perplexity.ai/docs/agent-api/openai-compatibility",
        habits=Habits(chooses_models_by=("models", "preset")),
        notes="Models are named with their vendor, such as `perplexity/sonar`. Its searches and other tools are billed "
        "and not counted, so they are refused: to pass them on, set `options.uncounted_tools` and put what they cost "
        "into the rate of a request.",
    ),
    # alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope: stream_options.include_usage.
    # …/api-compatibility-upgrade-notice (11 November 2026): max_completion_tokens limits thoughts and answer together,
    # max_tokens with models before qwen4-max-preview often the answer alone; by notice 724 it was to go in May 2026.
    # …/rate-limit: "You exceeded your current quota" is the limit of tokens in a minute; error-code: 400 Arrearage is
    # the empty purse. …/base-url (11 October 2026): the shared address stays, the workspace's own is recommended.
    "qwen": Vendor(
        label="Qwen (Alibaba Model Studio)",
        base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
        credential_hint="sk-…",
        endpoints=CHAT_AND_VECTORS,
        docs="https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
        adaptation=ONLY_WHOLE_LIMIT,
        quota_is_pace=True,
        notes="Singapore: `https://dashscope-intl.aliyuncs.com/compatible-mode/v1`; Virginia: `dashscope-us`; each "
        "region has its own keys. Faster, they say: `https://<workspace>.<region>.maas.aliyuncs.com/compatible-mode/v1`.",
    ),
    "scripted": Vendor(
        label="Scripted (for trying out)",
        credential="none",
        endpoints=(*CLASSIC, "moderations"),
        notes="Answers inside this process; needs no address.",
    ),
    # docs.together.ai/reference/chat-completions-1: max_tokens.
    "together": Vendor(
        label="Together",
        base_url="https://api.together.xyz/v1",
        endpoints=CLASSIC,
        docs="https://docs.together.ai/reference",
        adaptation=ONLY_MAX_TOKENS,
    ),
    # cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference, and recorded.
    "vertex": Vendor(
        label="Google Vertex AI (Gemini)",
        base_url="https://aiplatform.googleapis.com",
        base_url_hint="https://europe-west4-aiplatform.googleapis.com",
        credential="service_account",
        credential_hint="the key file (JSON) of a service account, or an API key of express mode",
        endpoints=("generate_content", "generate_content.count_tokens", "embeddings"),
        docs="https://cloud.google.com/vertex-ai/generative-ai/docs",
        notes="The address says the location, the service account the project; an address with "
        "`/v1/projects/…/locations/…` says both.",
    ),
    # docs.anthropic.com/en/api/claude-on-vertex-ai: rawPredict, streamRawPredict, anthropic_version in the body.
    "vertex-anthropic": Vendor(
        label="Google Vertex AI (Anthropic)",
        base_url="https://aiplatform.googleapis.com",
        base_url_hint="https://us-east5-aiplatform.googleapis.com",
        credential="service_account",
        credential_hint="the key file (JSON) of a service account",
        endpoints=("messages", "messages.count_tokens"),
        docs="https://docs.anthropic.com/en/api/claude-on-vertex-ai",
        notes="As `vertex`. Anthropic's models have names such as `claude-sonnet-4-5@20250929` there.",
    ),
    # docs.vllm.ai/en/v0.32.0/serving/online_serving: a key only where it was started with --api-key. It has /responses
    # and /messages in late versions; both are translated, which every version takes.
    "vllm": Vendor(
        label="vLLM",
        base_url="http://localhost:8000/v1",
        credential="optional",
        endpoints=CLASSIC,
        docs="https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        notes="Policy `network` has to allow the address.",
    ),
    # volcengine.com/docs/82379: OpenAI's protocol below /api/v3; the model is a model id or an endpoint id (ep-…).
    # max_tokens (4096 where nothing is said) is without the thoughts, max_completion_tokens with them, both is refused.
    "volcengine": Vendor(
        label="VolcEngine Ark",
        base_url="https://ark.cn-beijing.volces.com/api/v3",
        endpoints=CHAT_AND_VECTORS,
        docs="https://www.volcengine.com/docs/82379",
        adaptation=ONLY_WHOLE_LIMIT,
        notes="The upstream's name of a model may be that of an inference endpoint (`ep-…`).",
    ),
    # docs.voyageai.com/reference/embeddings-api: output_dimension; encoding_format is `base64` or left out. Recorded:
    # the usage is total_tokens alone.
    "voyage": Vendor(
        label="Voyage AI",
        base_url="https://api.voyageai.com/v1",
        credential_hint="pa-…",
        endpoints=VECTORS,
        docs="https://docs.voyageai.com/reference/embeddings-api",
        adaptation=Adaptation(
            renames=(("dimensions", "output_dimension"),),
            leaves_out=("user",),
            without=(("encoding_format", '"float"'),),
        ),
    ),
    # docs.x.ai/docs/api-reference: reasoning stands beside completion_tokens; responses are the way it goes on with,
    # and are kept for 30 days. …/developers/tools/tool-usage-details and answers of 2026: web_search_calls and
    # x_search_calls are the searches that are billed; num_sources_used is none of them.
    "xai": Vendor(
        label="xAI",
        base_url="https://api.x.ai/v1",
        credential_hint="xai-…",
        endpoints=("chat.completions", "responses"),
        docs="https://docs.x.ai/docs/api-reference",
        habits=Habits(
            reasoning_beside=True,
            searches=tuple(
                (("server_side_tool_usage_details", name),) for name in ("web_search_calls", "x_search_calls")
            ),
        ),
    ),
    # docs.z.ai/api-reference/llm/chat-completion: max_tokens; recorded.
    "zai": Vendor(
        label="Z.ai",
        base_url="https://api.z.ai/api/paas/v4",
        endpoints=CHAT,
        docs="https://docs.z.ai/api-reference/llm/chat-completion",
        adaptation=ONLY_MAX_TOKENS,
    ),
    # docs.bigmodel.cn/cn/guide/develop/openai/introduction: the same protocol in China, with embeddings.
    "zhipu": Vendor(
        label="Zhipu (BigModel)",
        base_url="https://open.bigmodel.cn/api/paas/v4",
        endpoints=CHAT_AND_VECTORS,
        docs="https://docs.bigmodel.cn",
        adaptation=ONLY_MAX_TOKENS,
    ),
}

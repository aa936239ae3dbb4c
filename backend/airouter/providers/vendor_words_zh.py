"""What vendors.py says to operators, in Chinese: the same, with the same code between backticks."""

from collections.abc import Mapping
from typing import Final

NOTES: Final[Mapping[str, str]] = {
    "openai-compatible": "任何兼容 OpenAI chat completions 的服务器。客户端的请求不做任何改动。",
    "anthropic": "地址中不含版本，与 Anthropic 的 SDK 相同。",
    "bedrock": "区域写在地址里。模型用它的 id、推理配置文件的 id 或 ARN 来指定。",
    "cohere": "地址中不含版本。所有文本入口的对话都会转换后发送。按 Cohere 计费的数量收费，它少于模型实际读取的数量。",
    "gemini": "地址中不含版本，与 Google 的 SDK 相同。",
    "azure-openai": "上游的模型名称就是部署的名称。不填 `options.api_version` 时使用 v1 API；"
    "填写时使用该版本的 `/openai/deployments/…`。",
    "fireworks": "Responses 会转换后发送：它自己的 Responses API 会保存内容，并运行用量中不计入的工具。",
    "groq": "`groq/compound` 会自行运行工具，这些工具要收费却无法计量：请把费用计入每次请求的价格。",
    "siliconflow": "中国以外：`https://api.siliconflow.com/v1`。那里的 `max_tokens` 不计思考，而思考同样收费："
    "请用渠道规则加以限制，例如为 `thinking_budget` 设默认值 4096。",
    "minimax": "中国：`https://api.minimaxi.com/v1`。思考内容位于回答中的 `<think>` 与 `</think>` 之间；"
    "由客户端或渠道规则设置 `reasoning_split` 时，则与回答分开。",
    "moonshot": "中国：`https://api.moonshot.cn/v1`；两处的密钥互不通用。",
    "ollama": "策略 `network` 必须允许该地址。Ollama 的云服务：`https://ollama.com/v1`，需要密钥。",
    "perplexity": "Sonar API 已于 2026 年 9 月 27 日停止服务，此后的调用都会失败。"
    "请用同一密钥新建一个 `perplexity-agent` 渠道，把 `perplexity/sonar` 设为其模型的上游名称，然后删除本渠道。",
    "perplexity-agent": "模型名称带有厂商，例如 `perplexity/sonar`。它的搜索和其他工具要收费却无法计量，"
    "因此会被拒绝：若要放行，请设置 `options.uncounted_tools`，并把费用计入每次请求的价格。",
    "qwen": "新加坡：`https://dashscope-intl.aliyuncs.com/compatible-mode/v1`；弗吉尼亚：`dashscope-us`；每个区域有各自的密钥。"
    "官方称更快的地址：`https://<workspace>.<region>.maas.aliyuncs.com/compatible-mode/v1`。",
    "scripted": "在本进程内作答，不需要地址。",
    "vertex": "地址指明位置，服务账号指明项目；含有 `/v1/projects/…/locations/…` 的地址同时指明两者。",
    "vertex-anthropic": "与 `vertex` 相同。Anthropic 的模型在那里的名称形如 `claude-sonnet-4-5@20250929`。",
    "vllm": "策略 `network` 必须允许该地址。",
    "volcengine": "上游的模型名称可以是推理接入点的名称（`ep-…`）。",
}
HINTS: Final[Mapping[str, str]] = {
    "azure-openai": '密钥；Entra ID 的令牌；或 {"tenant_id": …, "client_id": …, "client_secret": …}',
    "bedrock": "AKIA…:secret access key[:session token]，或 Bedrock API 密钥（ABSK…）",
    "vertex": "服务账号的密钥文件（JSON），或 express 模式的 API 密钥",
    "vertex-anthropic": "服务账号的密钥文件（JSON）",
}
"""Of those hints that have words; the others are the same in every language."""

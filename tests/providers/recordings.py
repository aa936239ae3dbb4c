"""Recorded traffic of real providers. It lies outside this repository, in the folder that `AIROUTER_RECORDINGS`
names.
"""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(os.environ.get("AIROUTER_RECORDINGS") or Path(__file__).parents[3] / "shared" / "recordings")
ABSENT = f"no recorded provider traffic in {FOLDER}; name its folder in AIROUTER_RECORDINGS"

_HOSTS = {
    "api.openai.com": "openai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.cerebras.ai": "cerebras",
    "api.deepseek.com": "deepseek",
    "openrouter.ai": "openrouter",
    "api.z.ai": "zai",
    "api.x.ai": "xai",
    "api.together.xyz": "together",
    "router.huggingface.co": "openai-compatible",
}


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer."""

    name: str
    family: str
    uri: str
    request: dict[str, Any]
    status: int
    content_type: str
    body: bytes

    @property
    def is_stream(self) -> bool:
        return self.content_type.startswith("text/event-stream")

    @property
    def endpoint(self) -> str:
        if self.family == "embeddings":
            return "embeddings"
        return "completions" if not self.uri.partition("?")[0].endswith("/chat/completions") else "chat.completions"

    @property
    def provider(self) -> str:
        return _HOSTS.get(self.uri.split("/")[2], "openai-compatible")


def load() -> list[Recording]:
    """Every recording in OpenAI's dialect; empty when the folder is not there."""
    found: list[Recording] = []
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                row = json.loads(line)
                if row["family"] in {"openai_chat", "embeddings"} and isinstance(row["request"], dict):
                    found.append(_recording(number, row))
    return found


def rows_at(host: str) -> list[dict[str, Any]]:
    """Every recorded exchange with a host, as it stands in the file, whatever its dialect."""
    found: list[dict[str, Any]] = []
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = (json.loads(line) for line in lines if host in line)
            found += [row for row in rows if host in row["uri"].split("/")[2]]
    return found


def _recording(number: int, row: dict[str, Any]) -> Recording:
    text = row.get("text")
    body = json.dumps(row["json"]).encode() if text is None else text.encode()
    return Recording(
        name=f"{number}-{row['uri'].split('/')[2]}-{row['status']}",
        family=row["family"],
        uri=row["uri"],
        request=row["request"],
        status=row["status"],
        content_type=row["content_type"] or "",
        body=body,
    )


RECORDINGS = load()

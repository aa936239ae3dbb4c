"""The API reference: a page of our own files, under a policy that lets nothing else run."""

import gzip
import hashlib
import re
from pathlib import Path

import httpx

from airouter.api.public.reference import PAGE, REFERENCE

FOLDER = Path(__file__).parents[2] / "backend" / "airouter" / "api" / "public" / "reader"


async def test_the_page_runs_no_script_but_its_own_and_speaks_to_nobody_else(client: httpx.AsyncClient) -> None:
    answer = await client.get(PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    scripts = re.findall(r'<script src="([^"]+)"></script>', answer.text)
    assert len(scripts) == answer.text.count("<script") == 2
    for script in scripts:
        found = await client.get(script)
        assert (found.status_code, found.headers["x-content-type-options"]) == (200, "nosniff")
        assert found.headers["content-type"].startswith("text/javascript")


async def test_the_reader_is_the_published_one_and_kept_by_browsers(client: httpx.AsyncClient) -> None:
    told = re.search(r"^ {4}([0-9a-f]{64})$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert told
    assert hashlib.sha256(gzip.decompress((FOLDER / "scalar.js.gz").read_bytes())).hexdigest() == told[1]
    for encoding in ("gzip", "identity"):
        answer = await client.get(f"{PAGE}/scalar.js", headers={"accept-encoding": encoding})
        assert hashlib.sha256(answer.content).hexdigest() == told[1]
        assert "immutable" in answer.headers["cache-control"]


def test_it_reads_the_documents_that_are_served() -> None:
    start = (FOLDER / "start.js").read_text()
    assert re.findall(r'url: "([^"]+)"', start) == ["/openapi/gateway.json", "/openapi.json"]
    assert "https://" not in start
    assert len(REFERENCE) == 3

"""What a first visit costs: at most 200 KB of compressed scripts before anything can be read, and nothing from afar."""

import gzip
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Response

from tests.journeys.instance import CONSOLE, Instance
from tests.journeys.visitor import Entrance

pytestmark = pytest.mark.asyncio(loop_scope="package")

SCRIPT_BYTES_MAX = 200_000


@pytest.mark.parametrize("path", ["/", "/pricing", "/sign-in", "/console"])
async def test_a_first_visit_loads_few_scripts(instance: Instance, entrance: Entrance, path: str):
    visitor = await entrance.visitor()
    if path == "/console":
        await visitor.sign_in(await instance.person())
    scripts: set[str] = set()

    def note(response: Response) -> None:
        if response.request.resource_type == "script":
            scripts.add(urlsplit(response.url).path)

    visitor.page.on("response", note)
    await visitor.go(path)
    bytes_by_name = {name: len(gzip.compress((CONSOLE / name.lstrip("/")).read_bytes(), 6)) for name in scripts}
    total = sum(bytes_by_name.values())
    told = "\n".join(f"{size:>8} {name}" for name, size in sorted(bytes_by_name.items(), key=lambda item: -item[1]))
    print(f"{path}: {total} bytes of scripts\n{told}")
    assert len(scripts) > 1
    assert total <= SCRIPT_BYTES_MAX, f"{path}: {total} bytes of scripts, compressed\n{told}"
    assert not [name for name in scripts if not name.startswith("/assets/") and name != "/before-paint.js"]


async def test_nothing_is_loaded_from_elsewhere(instance: Instance, entrance: Entrance):
    """No CDN, no font service, no telemetry."""
    visitor = await entrance.visitor()
    hosts: set[str] = set()
    visitor.page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    await visitor.sign_in(await instance.person())
    for path in ("/", "/pricing", "/console/usage"):
        await visitor.go(path)
    assert hosts - {""} == {urlsplit(instance.console_url).netloc}

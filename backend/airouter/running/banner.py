"""What `airouter up` tells whoever started it."""

from airouter.running.demo import Demo
from airouter.settings import Settings


def banner(settings: Settings, demo: Demo | None, *, seconds: float) -> str:
    """The addresses, the way in, two snippets that work when pasted, and where the data lie."""
    address = settings.console_url
    if demo is None:
        return f"\nAI Router is running (started in {seconds:.1f} s): console {address}, API {settings.public_url}/v1\n"
    base_url = f"{settings.public_url}/v1"
    return f"""
AI Router is running with demo data (started in {seconds:.1f} s).

  Console   {address}
  Sign in   {demo.email}  /  {demo.password}
  API       {base_url}
  Key       {demo.key}
  Data      {settings.home}  (`make clean-data` wipes it)

In a shell:

curl {base_url}/chat/completions \\
  -H 'Authorization: Bearer {demo.key}' -H 'Content-Type: application/json' \\
  -d '{{"model": "{demo.model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

In Python (any OpenAI SDK works the same: base_url="{base_url}", api_key="{demo.key}"):

import json, urllib.request
request = urllib.request.Request(
    "{base_url}/chat/completions",
    json.dumps({{"model": "{demo.model}", "messages": [{{"role": "user", "content": "Hello!"}}]}}).encode(),
    {{"Authorization": "Bearer {demo.key}", "Content-Type": "application/json"}})
print(json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"])

Ctrl-C stops everything.
"""

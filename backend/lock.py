"""Resolves the libraries anew and pins them by hash, naming no registry: `make lock` (needs uv and node)."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {
    "requirements.lock": [],
    "requirements-run.lock": ["--extra", "run"],
    "requirements-dev.lock": ["--extra", "dev"],
}
COMPILE = ["uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes"]
BARE = ["--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"]

for name, extra in LOCKS.items():
    # The others follow the first, so that all three agree on every version.
    follow = ["--upgrade"] if name == "requirements.lock" else ["--constraint", "requirements.lock", "--upgrade"]
    subprocess.run([*COMPILE, *BARE, *extra, *follow, "-o", name], cwd=ROOT, check=True)
subprocess.run(["node", "frontend/complete-lock.mjs"], cwd=ROOT, check=True)

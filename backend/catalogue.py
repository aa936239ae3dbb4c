"""Write the catalogue of price proposals that ships with AI Router, out of the `genai-prices` package.

The package is fetched into an environment of its own and leaves nothing else behind; what it says is turned into our
meters, with exact decimals. Run by `make catalogue`; the result is committed and compared by people.
"""

import json
import subprocess
import sys
import tempfile
import venv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from airouter.domain.proposal import Skipped, SourceRate
from airouter.domain.rate_card import PER, Meter, TierCondition
from airouter.proposals.documents import Sheet
from airouter.proposals.shipped import Entry, Price, ShippedTier, Source

VERSION = "0.2.3"
TARGET = Path(__file__).parent / "airouter" / "proposals" / "prices.json"
ADDRESS = "https://github.com/pydantic/genai-prices"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"genai-prices=={VERSION}"], check=True)
        said = subprocess.run(
            [python, str(Path(__file__).with_name("catalogue_facts.py"))], check=True, capture_output=True, text=True
        )
    facts = json.loads(said.stdout)
    entries = [entry for entry in map(entry_of, facts["models"]) if entry is not None]
    entries.sort(key=lambda entry: (entry.vendor, entry.model))
    source = Source(
        name="genai-prices",
        version=VERSION,
        address=ADDRESS,
        date=datetime.now(UTC).date().isoformat(),
        licence="MIT",
        notice=facts["notice"],
    )
    lines = ",\n".join(msgspec.json.encode(entry).decode() for entry in entries)
    TARGET.write_text(
        f'{{"source":{msgspec.json.encode(source).decode()},\n"currency":"USD",\n"models":[\n{lines}\n]}}\n'
    )
    left_out = len(facts["models"]) - len(entries)
    print(
        f"{TARGET.name}: {len(entries)} models, {TARGET.stat().st_size // 1024} KB; {left_out} without a price left out"
    )
    return 0


def entry_of(said: dict[str, Any]) -> Entry | None:
    """A model in our meters; None: nothing of its prices fits."""
    sheet = Sheet()
    for meter, price, per, above, service_tier in said["rates"]:
        is_standard = above is None and service_tier is None
        when = None if is_standard else TierCondition(input_tokens_above=above, service_tier=service_tier)
        sheet.put(meter, price, per=PER[meter] * per if PER[meter] > 1 else per, when=when)
    for words in said["unmapped"]:
        sheet.unmapped(words)
    proposal = sheet.close(said["model"], vendor=said["vendor"], context_window=said["context_window"])
    if isinstance(proposal, Skipped):
        return None
    return Entry(
        vendor=said["vendor"],
        model=proposal.name,
        rates=compact(proposal.rates),
        tiers=[ShippedTier(when=tier.when, rates=compact(tier.rates)) for tier in proposal.tiers],
        context_window=proposal.context_window,
        unmapped=list(proposal.unmapped),
    )


def compact(rates: dict[Meter, SourceRate]) -> dict[Meter, Price]:
    return {meter: rate.price if rate.per == PER[meter] else (rate.price, rate.per) for meter, rate in rates.items()}


if __name__ == "__main__":
    sys.exit(main())

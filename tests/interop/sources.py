"""The sources of these tests, and requests to them."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import unquote

import aiohttp
import orjson

from tests.faults.installation import Site
from tests.faults.samples import sale

WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # of the specification's example
OLD_WHSEC = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BATCH, NDJSON = "application/cloudevents-batch+json", "application/x-ndjson"
SOURCES = {
    "gateway/vans.yaml": """
source: vans
partner: vans
accept: cloudevents
types: [pos.sale, handheld.count]
verify: {api_key: true}
limits: {body: 64KiB, batch: 1000}
""",
    "gateway/kiosk.yaml": f"""
source: kiosk
partner: kiosk
accept: webhook
types: [pos.sale]
verify: {{standard_webhooks: {{secrets: [{WHSEC}, "{OLD_WHSEC}"]}}}}
event: {{id: headers."webhook-id", type: '"pos.sale"'}}
""",
    "gateway/counter.yaml": """
source: counter
partner: counter
accept: webhook
types: [pos.sale]
verify: {api_key: true}
event: {id: body.receipt, type: '"pos.sale"'}
""",
}


class Told(NamedTuple):
    """An answer: status, headers in lower case, and its JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


async def post(
    site: Site, body: Any, key: str, media: str = "application/cloudevents+json", path: str = "/v1/events", **named: str
) -> Told:
    """Post bytes or an iterator of bytes; `named` are further headers, with _ for -."""
    headers = {"X-API-Key": key, "Content-Type": media, **{k.replace("_", "-"): v for k, v in named.items()}}
    data = BytesIO(body) if isinstance(body, bytes) else body  # aiohttp writes large bytes in one piece
    patience = aiohttp.ClientTimeout(total=110)
    async with site.session.post(site.ready.gateway + path, data=data, headers=headers, timeout=patience) as answer:
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return Told(answer.status, lower, orjson.loads(await answer.read() or b"null"))


def sales(name: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return sales whose ids begin with a name."""
    return [{**sale(number), "id": f"{name}-{number}"} for number in numbers]


def ids_at(site: Site, target: str, name: str) -> list[str]:
    """Return the ids of the events with that beginning that had an effect at a target."""
    ids = (unquote(effect.id) for effect in site.targets[target].effects.values())
    return [found for found in ids if found.startswith(name)]

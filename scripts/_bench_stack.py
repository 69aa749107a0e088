"""The least that this stack can do: a relay of Quart-Trio and httpx without anything of shunt. For comparison.

`_bench_stack.py PORT UPSTREAM`. It keeps none of shunt's promises: no accounts, no failover, no limits, no cures.
"""

from __future__ import annotations

import sys
from typing import Any

import httpx2 as httpx
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import Response, request
from quart_trio import QuartTrio


async def main(port: str, upstream: str) -> None:
    """Serve until killed."""
    app = QuartTrio("relay", root_path="/")
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    client = httpx.AsyncClient(limits=limits, timeout=None, trust_env=False)

    @app.post("/v1/messages")
    async def relay() -> Any:
        body = await request.get_data()
        sent = client.build_request("POST", f"{upstream}/v1/messages", content=body)
        answer = await client.send(sent, stream=True)

        told = Response(
            answer.aiter_raw(), status=answer.status_code, content_type=answer.headers.get("content-type")
        )
        told.timeout = None
        return told

    config = Config()
    config.bind, config.backlog, config.accesslog, config.errorlog = [f"127.0.0.1:{port}"], 4096, None, None
    await serve(app, config)


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2])

"""OpenAI's own SDK as a reader of what shunt writes."""

from __future__ import annotations

from typing import Any

import httpx2 as httpx
import openai


class SDK:
    """OpenAI's own stream helper, fed with bytes."""

    def __init__(self) -> None:
        self._raw = b""
        self._client = openai.OpenAI(
            api_key="sk-test-key",
            base_url="http://127.0.0.1/v1",
            max_retries=0,
            http_client=httpx.Client(transport=httpx.MockTransport(self._answer)),
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=self._raw)

    def final(self, raw: bytes) -> Any:
        """The completion that the helper puts together. Raises what it raises, but for its refusal of cut answers."""
        self._raw = raw
        with self._client.chat.completions.stream(
            model="m", messages=[{"role": "user", "content": "x"}]
        ) as s:
            for _ in s:
                pass
            try:
                return s.get_final_completion()
            except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
                return s.current_completion_snapshot

"""A page of another site, in a real browser: it can neither read from shunt nor act on it."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.faults.house import House, own_house

EVIL = """<!doctype html><title>evil</title><body><script>
window.attack = async (base, key) => {
  const told = [];
  const tries = [
    ["GET", "/health", {}], ["GET", "/status", {}], ["GET", "/v1/models", {}],
    ["GET", "/events", {}], ["GET", "/", {}],
    ["POST", "/v1/messages", {"content-type": "application/json"}],
    ["POST", "/v1/messages", {"content-type": "text/plain"}],
    ["POST", "/use", {"content-type": "application/json"}],
    ["POST", "/use", {"content-type": "text/plain"}],
    ["PUT", "/strategy", {"content-type": "application/json"}],
  ];
  for (const mode of ["cors", "no-cors"]) for (const [method, path, headers] of tries) {
    const sent = {...headers};
    if (key) { sent["authorization"] = "Bearer " + key; sent["x-api-key"] = key; }
    const options = {method, mode, headers: sent, credentials: "include"};
    if (method !== "GET") options.body = '{"account":"reef","strategy":"priority","model":"m","max_tokens":1,'
      + '"messages":[{"role":"user","content":"EVIL"}]}';
    try {
      const answer = await fetch(base + path, options);
      const text = await answer.text();
      if (text) told.push(`${mode} ${method} ${path}: ${text.slice(0, 80)}`);
    } catch (error) {}
  }
  try {
    const source = new EventSource(base + "/events");
    source.onmessage = source.onopen = () => told.push("event source");
    await new Promise(done => setTimeout(done, 500)); source.close();
  } catch (error) {}
  const socket = new WebSocket(base.replace("http", "ws") + "/v1/responses");
  socket.onopen = socket.onmessage = () => told.push("web socket");
  for (const path of ["/status", "/"]) {
    const frame = document.createElement("iframe"); frame.src = base + path; document.body.append(frame);
    await new Promise(done => { frame.onload = done; setTimeout(done, 800); });
    try { if (frame.contentDocument && frame.contentDocument.body.innerText) told.push("frame " + path); } catch (e) {}
  }
  const form = document.createElement("form");
  form.method = "post"; form.action = base + "/use"; form.enctype = "text/plain"; form.target = "hidden";
  const field = document.createElement("input"); field.name = '{"account":"reef","x":"'; field.value = '"}';
  const hidden = document.createElement("iframe"); hidden.name = "hidden";
  form.append(field); document.body.append(hidden, form); form.submit();
  const script = document.createElement("script"); script.src = base + "/status";
  script.onload = () => told.push("script"); document.body.append(script);
  await new Promise(done => setTimeout(done, 800));
  return told;
};
</script>"""


@contextmanager
def site() -> Iterator[str]:
    """Another site, on a port and under a name of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(EVIL.encode())

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://evil.example:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[House]:
    """A shunt whose proxy routes need a key."""
    with own_house(tmp_path) as house:
        digest = hashlib.sha256(house.canaries["access"].encode()).hexdigest()
        house.configure(clients=[{"name": "laptop", "key_sha256": digest}])
        house.start()
        yield house


@pytest.mark.parametrize("rebound", [False, True], ids=["cross-site", "rebound"])
def test_a_page_of_another_site_gets_nothing(house: House, rebound: bool) -> None:
    """By fetch, form, frame, script, event source or web socket: nothing is read, nothing changes,
    nothing is sent to a vendor; also when its name is bound to this machine."""
    attack(house, "", rebound=rebound)


@pytest.mark.parametrize("rebound", [False, True], ids=["cross-site", "rebound"])
def test_a_page_that_knows_a_key_gets_nothing(keyed: House, rebound: bool) -> None:
    """A right key does not help a page, either."""
    key = keyed.canaries["access"]
    assert trio.run(partial(keyed.ask, headers=((b"x-api-key", key.encode()),))).status == 200
    keyed.stage.arrivals.clear()
    attack(keyed, key, rebound=rebound)


def attack(house: House, key: str, *, rebound: bool) -> None:
    """Let a browser visit the other site, and its page try everything."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is missing")
    playwright = pytest.importorskip("playwright.sync_api")
    with site() as url, playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--host-resolver-rules=MAP evil.example 127.0.0.1",
                "--disable-features=LocalNetworkAccessChecks",  # help of the browser is not leant on
            ],
        )
        try:
            page = browser.new_page()
            page.goto(url)
            host = "evil.example" if rebound else "127.0.0.1"
            told = page.evaluate(f"attack('http://{host}:{house.port}', '{key}')")
        finally:
            browser.close()
    assert told == []
    assert not house.stage.arrivals
    status = trio.run(house.get, "/status")
    assert status["pinned_account"] is None
    assert status["strategy_source"] == "config"
    assert {"origin", "host"} & set(status["refusals"])

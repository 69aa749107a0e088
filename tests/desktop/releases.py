"""A release feed on a real loopback port, and programs that only know their version."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from shunt.desktop.update import here


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Be quiet."""

    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("location", "http://example.test/feed.json")
            self.end_headers()
            return
        super().do_GET()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; yields its address, with a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def program(path: Path, version: str, *, status: int = 0) -> Path:
    """A program that says its version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho shunt {version}\nexit {status}\n")
    path.chmod(0o755)
    return path


def publish(folder: Path, version: str, path: Path, form: str, **changed: Any) -> None:
    """Announce one file in `feed.json`, as it is or with something changed."""
    system, machine = here()
    data = path.read_bytes()
    entry = {
        "name": path.name,
        "url": path.name,
        "system": system,
        "machine": machine,
        "form": form,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        **changed,
    }
    (folder / path.name).write_bytes(data)
    document = {"schema": 1, "version": version, "notes": "", "files": [entry]}
    (folder / "feed.json").write_text(json.dumps(document))


def archive(folder: Path, version: str, **options: Any) -> Path:
    """A folder form, packed."""
    inside = folder / f"shunt-{version}"
    program(inside / "shunt", version, **options)
    (inside / "_internal").mkdir(exist_ok=True)
    (inside / "_internal" / "lib.so").write_text(version)
    packed = folder / f"shunt-{version}.tar.xz"
    with tarfile.open(packed, "w:xz") as tar:
        tar.add(inside, inside.name)
    return packed

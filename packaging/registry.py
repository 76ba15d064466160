"""An npm registry on loopback with the packages of a directory, for tests."""

import base64
import hashlib
import http.server
import json
import tarfile
import threading
import urllib.parse
from pathlib import Path


class Registry:
    """Serves what `npm install` asks for: one document for each package, and its tarball."""

    def __init__(self, folder: Path):
        self._tarballs = {file.name: file.read_bytes() for file in sorted(folder.glob("*.tgz"))}
        self._manifests = {name: _read_manifest(folder / name) for name in self._tarballs}
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Registry":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[bytes, str] | None:
        """Returns what a path has, and its type."""
        path = urllib.parse.unquote(path.split("?")[0]).strip("/")
        if path.startswith("-/tarballs/"):
            data = self._tarballs.get(path.removeprefix("-/tarballs/"))
            return data and (data, "application/octet-stream")
        document = self._document(path)
        return document and (json.dumps(document).encode(), "application/json")

    def _document(self, name: str) -> dict | None:
        versions = {}
        for file, manifest in self._manifests.items():
            if manifest["name"] == name:
                digest = base64.b64encode(hashlib.sha512(self._tarballs[file]).digest()).decode()
                dist = {
                    "tarball": f"{self.url}/-/tarballs/{file}",
                    "integrity": f"sha512-{digest}",
                }
                versions[manifest["version"]] = manifest | {"dist": dist}
        if not versions:
            return None
        return {"name": name, "dist-tags": {"latest": max(versions)}, "versions": versions}


def _read_manifest(file: Path) -> dict:
    with tarfile.open(file) as tar:
        return json.load(tar.extractfile("package/package.json"))


def _handler(registry: Registry) -> type:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            data, kind = registry.answer(self.path) or (b"{}", None)
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """A failing test says what it needs itself."""

    return Handler

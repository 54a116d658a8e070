"""GitHub and Azure DevOps, as far as the workflows call them: one pull request, and what is written about it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "the-token-of-the-run"
BOT, PERSON = {"type": "Bot"}, {"type": "User"}


@dataclass
class Host:
    """What is on it, and which calls were made."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)
    work_items: dict[int, dict[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def github(self) -> dict[str, str]:
        """The environment of a job on GitHub."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": "example/tenants", "GITHUB_TOKEN": TOKEN}

    def azure(self) -> dict[str, str]:
        """The environment of a job of Azure DevOps."""
        return {
            "SYSTEM_COLLECTIONURI": f"{self.url}/example/",
            "SYSTEM_TEAMPROJECTID": "tenants",
            "SYSTEM_ACCESSTOKEN": TOKEN,
            "BUILD_REPOSITORY_ID": "repository",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
        }

    def answer(self, method: str, path: str, page: int, body: Any) -> tuple[int, Any]:
        """Status and document."""
        if found := re.fullmatch("/repos/example/tenants/(.*)", path):
            return self._github(method, found[1], page, body)
        found = re.fullmatch("/example/tenants/_apis/(.*)", path)
        return self._azure(method, found[1], body) if found else (404, {})

    def _github(self, method: str, path: str, page: int, body: Any) -> tuple[int, Any]:
        listed = {"issues/7/comments": self.comments, "issues": [one for one in self.issues if one["state"] == "open"]}
        many = self.comments if "comments" in path else self.issues
        if method == "GET" and path in listed:
            return 200, listed[path][(page - 1) * 100 : page * 100]
        if method == "POST" and path in listed:
            many.append({"id": len(many) + 1, "number": len(many) + 1, "user": BOT, "state": "open", **body})
            return 201, many[-1]
        if method == "PATCH" and (found := re.fullmatch(r"issues/(?:comments/)?(\d+)", path)):
            many[int(found[1]) - 1].update(body)
            return 200, many[int(found[1]) - 1]
        return 404, {}

    def _azure(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        threads = "git/repositories/repository/pullRequests/7/threads"
        if path == threads and method == "GET":
            return 200, {"value": self.threads}
        if path == threads and method == "POST":
            comments = [{"id": 1, **comment} for comment in body["comments"]]
            self.threads.append({"id": len(self.threads) + 1, **body, "comments": comments})
            return 200, self.threads[-1]
        if method == "PATCH" and (found := re.fullmatch(rf"{threads}/(\d+)/comments/1", path)):
            self.threads[int(found[1]) - 1]["comments"][0].update(body)
            return 200, {}
        if path == "wit/wiql":
            still = [number for number, fields in self.work_items.items() if fields.get("System.State") != "Done"]
            return 200, {"workItems": [{"id": number} for number in still]}
        fields = {one["path"].removeprefix("/fields/"): one["value"] for one in body}
        if path == "wit/workitems/$Issue" and method == "POST":
            self.work_items[len(self.work_items) + 1] = fields
            return 200, {}
        if method == "PATCH" and (found := re.fullmatch(r"wit/workitems/(\d+)", path)):
            self.work_items[int(found[1])].update(fields)
            return 200, {}
        return 404, {}


@contextmanager
def serve() -> Iterator[Host]:
    """A host on loopback."""
    host = Host()

    class Handler(BaseHTTPRequestHandler):
        """Answers for it."""

        def _respond(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            host.calls.append(f"{self.command} {parts.path}")
            page = int(parse_qs(parts.query).get("page", ["1"])[0])
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            status, document = host.answer(self.command, parts.path, page, body) if known else (401, {})
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _respond  # noqa: N815 - the names that the server calls

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        host.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield host
        server.shutdown()

"""The emulated world over TLS, in a thread of its own."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from aiohttp import web

from lab.entra.gateway import Incoming, respond
from lab.entra.models import Entra

# Given a path and a body: status and text, or None for what is asked of the tenants themselves.
Door = Callable[[str, bytes], tuple[int, str] | None]
_LOOK_SECONDS = 0.01
_LARGEST_BODY = 16 * 1024 * 1024


@dataclass(frozen=True)
class Server:
    """Where the world can be reached, and which authority to trust for it."""

    host: str
    ca_file: Path

    @property
    def url(self) -> str:
        """The base address of login, metadata and Graph."""
        return f"https://{self.host}"

    def environment(self) -> dict[str, str]:
        """What makes Python and Go programs trust the server."""
        return {"REQUESTS_CA_BUNDLE": str(self.ca_file), "SSL_CERT_FILE": str(self.ca_file)}


class _Running:
    """The event loop and its thread."""

    def __init__(self, entra: Entra, context: ssl.SSLContext, port: int, door: Door | None) -> None:
        self._entra = entra
        self._door = door
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="lab.entra", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._runner: web.AppRunner | None = None
        self.port = port

    def start(self) -> None:
        self._thread.start()
        self._started.wait()
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._open())
        except BaseException as error:
            self._failure = error
            self._started.set()
            self._loop.close()
            return
        self._started.set()
        self._loop.run_forever()
        if self._runner:
            self._loop.run_until_complete(self._runner.cleanup())
        held_back = asyncio.all_tasks(self._loop)  # answers that a fault delays or holds back
        for task in held_back:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*held_back, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _open(self) -> None:
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{anything:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "localhost", self.port, ssl_context=self._context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if self._door and (done := self._door(request.rel_url.path_safe, await request.read())):
            return web.Response(status=done[0], text=done[1])
        incoming = Incoming(
            host_url=f"https://{request.host}",
            method=request.method,
            path=request.rel_url.path_safe,
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        outgoing = respond(self._entra, incoming)
        if outgoing.delay_seconds:
            await asyncio.sleep(outgoing.delay_seconds)
        while outgoing.held_until and not outgoing.held_until.is_set():
            await asyncio.sleep(_LOOK_SECONDS)
        if outgoing.reset and request.transport:
            request.transport.abort()
            return web.Response(status=500)  # nobody is left to read it
        if not outgoing.cut:
            return web.Response(status=outgoing.status, headers=dict(outgoing.headers), body=outgoing.body or None)
        return await self._cut_off(request, outgoing.status, dict(outgoing.headers), outgoing.body)

    @staticmethod
    async def _cut_off(request: web.Request, status: int, headers: dict[str, str], body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if request.transport:
            request.transport.close()
        return response


@contextmanager
def serve(entra: Entra, port: int = 0, door: Door | None = None) -> Iterator[Server]:
    """Serve a world on localhost, with an authority of its own made now, and a door for the lab itself if given."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1", "::1").configure_cert(context)
    with tempfile.TemporaryDirectory(prefix="lab-entra-") as folder:
        ca_file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        running = _Running(entra, context, port, door)
        running.start()
        try:
            yield Server(f"localhost:{running.port}", ca_file)
        finally:
            running.stop()

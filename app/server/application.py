"""The web server: the page, its scripts from disk, and a health check.

Everything comes from this process. The content policy lets a browser fetch nothing from anywhere
else, whatever a page, a theme or a fact might ask for.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import fastapi
import gradio as gr
import plotly
from fastapi.responses import FileResponse, JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.pages.components import ASSETS
from app.pages.read import make_page
from app.pages.theme import make_theme
from app.state.session import Service
from app.state.training_session import TrainingFolders

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SCRIPTS = {
    "panel.js": ASSETS / "panel.js",
    "trace.js": ASSETS / "trace.js",
    "graph.js": ASSETS / "graph.js",
    "curves.js": ASSETS / "curves.js",
    "tour.js": ASSETS / "tour.js",
    "plotly.min.js": PLOTLY,
}
# Gradio evaluates the templates of its components, hence 'unsafe-eval'; no data goes into them.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'"
)


# Ways into Gradio that this page does not use: uploads, its proxy, functions of components.
CLOSED = ("/gradio_api/upload", "/gradio_api/proxy=", "/gradio_api/component_server")
LARGEST_BODY = 2 << 20  # bytes of a request; a prompt or a value is far smaller


class Guard:
    """Puts the protective headers on every answer, and turns away what no page sends.

    Streams pass through untouched.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if scope["path"].startswith(CLOSED):
            await Response(status_code=404)(scope, receive, with_headers)
        elif not length.isdecimal() or int(length[:12]) > LARGEST_BODY:
            await Response("The request is too large.", 413)(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)


def make_app(service: Service, workshop: TrainingFolders | None = None) -> fastapi.FastAPI:
    """The web application; the workshop is that of the default folders unless given."""
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    app.add_middleware(Guard)

    @app.get("/health")
    def health() -> JSONResponse:
        """Whether the store can be read."""
        return JSONResponse({"status": "ok", "revision": service.store.revision()})

    @app.get("/lamplight/{name}")
    def script(name: str) -> Response:
        """One of the page's own scripts."""
        if name not in SCRIPTS:
            return Response(status_code=404)
        headers = {"Cache-Control": "max-age=3600"}
        return FileResponse(SCRIPTS[name], media_type="text/javascript", headers=headers)

    # Said to everyone with more than one page, also to who did not ask for it.
    warnings.filterwarnings("ignore", message="SSR mode is not supported")
    return gr.mount_gradio_app(
        app,
        make_page(service, workshop or TrainingFolders()),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        theme=make_theme(),
        css_paths=[ASSETS / "page.css", ASSETS / "training.css"],
        ssr_mode=False,
    )

"""The web application: the pages, their scripts from disk, and a health check.

Everything comes from this process. `security_headers` keeps the browser from loading anything
from elsewhere, even if a page, a theme or a fact asks for it.
"""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

import fastapi
import gradio as gr
import plotly
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.responses import Response
from starlette.routing import Route

from app.access.middleware import Access, Grant, grant_all
from app.api.channel import Channel
from app.api.public.desk import Desk
from app.api.public.document import ADDRESS, openapi
from app.api.public.gradio_functions import add_functions
from app.api.public.mcp_transports import PATH, McpEndpoint
from app.api.public.routes import add_problems, public_router
from app.api.routes import add_routes
from app.pages.components import ASSETS
from app.pages.read import make_page
from app.pages.theme import make_theme
from app.server.request_limits import RequestLimits
from app.server.security_headers import SecurityHeaders
from app.state.service import Service
from app.state.training_session import TrainingFolders
from app.views import api_page

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
SCRIPTS = {
    "api.css": ASSETS / "api.css",
    "channel.js": ASSETS / "channel.js",
    "panel.js": ASSETS / "panel.js",
    "trace.js": ASSETS / "trace.js",
    "graph.js": ASSETS / "graph.js",
    "curves.js": ASSETS / "curves.js",
    "tour.js": ASSETS / "tour.js",
    "verify.js": ASSETS / "verify.js",
    "plotly.min.js": PLOTLY,
}


def make_app(
    service: Service, folders: TrainingFolders | None = None, grant: Grant = grant_all
) -> fastapi.FastAPI:
    """The web application.

    Args:
        service: the store and the decoder. The channel around them is `state.channel`.
        folders: what *Training* shows; the default folders unless others are given.
        grant: says which level a request has.
    """
    channel = Channel(service)
    desk = Desk(service, channel.turns)
    endpoint = McpEndpoint(desk)
    app = fastapi.FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, lifespan=endpoint.lifespan
    )
    app.state.channel = channel
    app.add_middleware(Access, grant=grant)
    app.add_middleware(RequestLimits)
    app.add_middleware(SecurityHeaders)  # added last, so it also covers what the others refuse

    @app.get("/health")
    def health() -> JSONResponse:
        """Whether the store can be read."""
        return JSONResponse({"status": "ok", "revision": service.store.revision()})

    add_routes(app, channel)
    add_problems(app)
    router = public_router(desk)
    app.include_router(router)
    app.router.routes.append(Route(PATH, endpoint))
    document = cache(lambda: openapi(router))  # made when somebody asks for it
    shown = cache(lambda: api_page.render(document()))

    @app.get(ADDRESS)
    def described() -> JSONResponse:
        """The OpenAPI document of the published API."""
        return JSONResponse(document())

    @app.get("/api")
    def documentation() -> HTMLResponse:
        """The same for people."""
        return HTMLResponse(shown())

    @app.get("/lamplight/{name}")
    def script(name: str) -> Response:
        """One of the pages' own scripts, or the style of the API's page."""
        if name not in SCRIPTS:
            return Response(status_code=404)
        headers = {"Cache-Control": "max-age=3600"}
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return FileResponse(SCRIPTS[name], media_type=kind, headers=headers)

    # Gradio warns every application with several pages, although this one does not ask for SSR.
    warnings.filterwarnings("ignore", message="SSR mode is not supported")
    mounted: fastapi.FastAPI = gr.mount_gradio_app(
        app,
        make_page(
            service, folders or TrainingFolders(), lambda blocks: add_functions(blocks, desk)
        ),
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        theme=make_theme(),
        css_paths=[ASSETS / "page.css", ASSETS / "training.css", ASSETS / "verify.css"],
        ssr_mode=False,
    )
    return mounted

"""The web application: the pages, their scripts from disk, and what is around them.

Everything comes from this process. `security_headers` keeps the browser from loading anything
from elsewhere, even if a page, a theme or a fact asks for it.
"""

from __future__ import annotations

import warnings
from functools import cache

import fastapi
import gradio as gr
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.access.exposure import Exposure
from app.access.hosts import Hosts
from app.access.levels import Level
from app.access.middleware import Access, Grant
from app.api.channel import Channel
from app.api.exports import add_exports
from app.api.public.desk import Desk
from app.api.public.document import ADDRESS, openapi
from app.api.public.gradio_functions import add_functions
from app.api.public.mcp_transports import PATH, McpEndpoint
from app.api.public.routes import add_problems, public_router
from app.api.routes import add_routes
from app.pages.read import make_page
from app.pages.scripts import ASSETS
from app.pages.theme import make_theme
from app.server.known_functions import KnownFunctions
from app.server.page_delivery import PageDelivery
from app.server.request_limits import RequestLimits
from app.server.request_records import RequestRecords
from app.server.security_headers import SecurityHeaders
from app.server.served_files import served_files
from app.server.watching import add_watching
from app.state.service import Service
from app.state.training_session import TrainingFolders
from app.views import api_page


def make_app(
    service: Service,
    folders: TrainingFolders | None = None,
    grant: Grant | None = None,
    exposure: Exposure | None = None,
) -> fastapi.FastAPI:
    """The web application.

    Args:
        service: the store and the decoder. The channel around them is `state.channel`.
        folders: what *Training* shows; the default folders unless others are given.
        grant: says which level a request has; by default everybody has every level, up to editor
            where the service does not publish.
        exposure: under which names the server is reached; by default from this machine alone.
    """
    exposure = exposure or Exposure()
    everybody = Level.ADMIN if service.publishes else Level.EDITOR
    channel = Channel(service)
    desk = Desk(service, channel.turns)
    endpoint = McpEndpoint(desk)
    blocks = make_page(
        service, folders or TrainingFolders(), lambda blocks: add_functions(blocks, desk)
    )
    app = fastapi.FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, lifespan=endpoint.lifespan
    )
    app.state.channel = channel
    # Each is around those before it: what one refuses, the later ones record and give headers.
    app.add_middleware(PageDelivery)
    app.add_middleware(KnownFunctions, functions=blocks.fns)
    app.add_middleware(
        Access, grant=grant or (lambda _: everybody), embedded=bool(exposure.embedders)
    )
    app.add_middleware(RequestLimits)
    app.add_middleware(Hosts, exposure=exposure)
    app.add_middleware(RequestRecords, metrics=service.metrics)
    app.add_middleware(SecurityHeaders, embedders=exposure.embedders)

    add_watching(app, service, channel)
    add_routes(app, channel)
    add_exports(app, channel)
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

    files = served_files()

    @app.get("/lamplight/{name}")
    def script(name: str, request: Request) -> Response:
        """One of the pages' own scripts, or the style of the API's page."""
        return files[name].answer(request) if name in files else Response(status_code=404)

    # Gradio warns every application with several pages, although this one does not ask for SSR.
    warnings.filterwarnings("ignore", message="SSR mode is not supported")
    mounted: fastapi.FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        favicon_path=str(ASSETS / "favicon.svg"),
        run_history=False,
        show_error=False,
        theme=make_theme(),
        css_paths=[ASSETS / "page.css", ASSETS / "training.css", ASSETS / "verify.css"],
        ssr_mode=False,
    )
    return mounted

"""The People page: the frame of it. What is in the frame, its scripts ask of the people API."""

from __future__ import annotations

from jupyterhub.handlers import BaseHandler
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.web import RequestHandler

from .static_files import STATIC_PATH, static_handlers


class PeoplePageHandler(BaseHandler):
    """For admins; everybody else gets JupyterHub's page for 403."""

    @web.authenticated
    async def get(self) -> None:
        if not self.current_user.admin:
            why = "Only admins see who is here. Ask yours if you need something."
            raise web.HTTPError(403, why, reason="Forbidden")
        static = url_path_join(self.hub.base_url, STATIC_PATH)
        self.finish(await self.render_template("people.html", tinyberth_static=static))


people_page_handlers: list[tuple[str, type[RequestHandler]]] = [
    ("/people", PeoplePageHandler),
    *static_handlers,
]

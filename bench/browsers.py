"""A person's browser, as benchmarks need one: cookies, forms, no scripts and no pictures.

The standard library alone, so that a benchmark runs on a host as it is.
"""

from __future__ import annotations

import http.client
import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

XSRF = re.compile(r'name="_xsrf" value="([^"]+)"')


class Refused(Exception):  # noqa: N818 - what the hub says, not a fault of the program
    """An answer that is no success; ``status`` is its number."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:300]}")
        self.status = status


class Asker:
    """Asks one hub, each time over a connection of its own: none waits for another's answer."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        # Browsers resolve *.localhost, Python asks the system, which may not.
        self._address, self._host = ("127.0.0.1", parts.port), parts.netloc

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Host": self._host, **named})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(response.status, text.decode("utf-8", "replace"))
        return response, text


class Browser(Asker):
    """A person's browser: cookies, forms with their XSRF token, the API with the cookie's."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._origin = url
        self._cookies: dict[tuple[str, str], str] = {}  # by path and name

    def open(self, path: str, **headers: str) -> bytes:
        """Return a page; a redirect is not followed."""
        return self._send("GET", path, None, headers)[1]

    def post_form(self, path: str, **fields: str) -> str:
        """Post a form as the page at ``path`` sent it last; return where the answer leads."""
        body = urlencode(fields).encode()
        kind = {"Content_Type": "application/x-www-form-urlencoded", "Origin": self._origin}
        response, _ = self._send("POST", path, body, kind)
        return response.headers.get("Location", "")

    def xsrf(self, path: str) -> str:
        """Return the hidden field of the form at ``path``."""
        found = XSRF.search(self.open(path).decode())
        assert found, f"no form at {path}"
        return found[1]

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API as our pages' scripts do."""
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Accept": "application/json",
            "Content_Type": "application/json",
            "Referer": f"{self._origin}/hub/home",
            "X_XSRFToken": self._cookies.get(("/hub/", "_xsrf"), ""),
        }
        _, text = self._send(method, f"/hub/api{path}", data, headers)
        return json.loads(text) if text else None

    def open_link(self, link: str, password: str) -> None:
        """Set the password that a one-time link asks for; signed in after it."""
        page, _, token = link.partition("#")
        path = urlsplit(page).path
        form = {"_xsrf": self.xsrf(path), "token": token}
        kind = {"Content_Type": "application/x-www-form-urlencoded", "Origin": self._origin}
        _, asked = self._send("POST", path, urlencode(form).encode(), kind)
        field = XSRF.search(asked.decode())
        assert field, "the link asks for no password"
        self.post_form(path, _xsrf=field[1], token=token, password=password)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        held = [
            f"{name}={value}"
            for (scope, name), value in self._cookies.items()
            if path.startswith(scope)
        ]
        cookie = {"Cookie": "; ".join(held)} if held else {}
        response, text = self.ask(method, path, body, **cookie, **headers)
        for line in response.headers.get_all("Set-Cookie") or []:
            pair, *attributes = (part.strip() for part in line.split(";"))
            name, _, value = pair.partition("=")
            paths = [a.partition("=")[2] for a in attributes if a.lower().startswith("path=")]
            self._cookies[paths[-1] if paths else "/", name] = value
        return response, text

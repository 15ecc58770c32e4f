"""The People page as tests drive it: by what a person reads on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

LINK = re.compile(r"http://hub\.localhost:\d+/hub/welcome#\S+")


@dataclass(frozen=True)
class PeoplePage:
    """The page in one browser."""

    page: Page

    def row(self, who: str) -> Locator:
        """Return the row of a login, or of a tombstone such as ``alice~1``."""
        return self.page.locator(f"#people-table tr[data-person='{who}']")

    @property
    def shown(self) -> list[str]:
        """Who is shown, in order."""
        rows = self.page.locator("#people-table tbody tr")
        return [str(who) for who in rows.evaluate_all("rows => rows.map(it => it.dataset.person)")]

    @property
    def dialog(self) -> Locator:
        return self.page.locator(".modal.show")

    @property
    def links(self) -> list[str]:
        """The one-time links that the dialog shows."""
        fields = self.dialog.locator(".one-time-link")
        fields.first.wait_for()
        return [str(link) for link in fields.evaluate_all("fields => fields.map(it => it.value)")]

    def filter(self, text: str) -> None:
        self.page.get_by_role("searchbox", name="Filter", exact=True).fill(text)

    def show_state(self, state: str) -> None:
        self.page.get_by_label("Show", exact=True).select_option(state)

    def menu(self, who: str) -> Locator:
        """Open the menu of a person and return it."""
        self.row(who).get_by_role("button", name=f"Actions for {who}").click()
        return self.row(who).locator(".dropdown-menu.show")

    def choose(self, who: str, entry: str) -> None:
        self.menu(who).get_by_role("button", name=entry).click()

    def press(self, button: str) -> None:
        """Press a button of the dialog."""
        self.dialog.get_by_role("button", name=button, exact=True).click()

    def told(self, sentence: str | re.Pattern[str]) -> None:
        """Wait until the page has said ``sentence``, and the dialog is closed."""
        # Removing and renaming wait for servers to stop.
        expect(self.page.locator("#notices")).to_contain_text(sentence, timeout=60_000)

    def preview_names(self, names: str) -> None:
        self.page.get_by_role("button", name="Add people").click()
        self.dialog.get_by_role("textbox", name="Names").fill(names)
        self.press("Preview")

    def preview_csv(self, text: str) -> None:
        self.page.get_by_role("button", name="Add people").click()
        self.dialog.get_by_text("Paste or upload CSV").click()
        self.dialog.get_by_role("textbox", name="CSV", exact=True).fill(text)
        self.press("Preview")

    def outcomes(self) -> dict[str, str]:
        """Return what the preview says of each name: the outcome, and why."""
        rows = self.dialog.locator("#preview-table tbody tr")
        rows.first.wait_for()
        told: list[list[str]] = rows.evaluate_all(
            "rows => rows.map(it => [it.children[1].textContent, it.children[2].textContent])"
        )
        return dict(told)

    def add(self, names: str) -> list[str]:
        """Add people by their names and return their links."""
        self.preview_names(names)
        self.dialog.get_by_role("button", name=re.compile("^Add [0-9]+ p")).click()
        links = self.links
        self.press("Done")
        return links

    def clipboard(self) -> str:
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def pretend(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Show the page as if the API's list of people were changed by ``change``."""
        status, answer = self.ask("GET", "people")
        assert status == 200
        changed = change(answer)
        self.page.route("**/api/tinyberth/people", lambda route: route.fulfill(json=changed))
        self.page.reload()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the API with this browser's session, as the page would."""
        script = """async ([method, path, body]) => {
            const xsrf = /_xsrf=([^;]+)/.exec(document.cookie)[1];
            const headers = {"X-XSRFToken": xsrf, "Content-Type": "application/json"};
            const options = {method, headers, body: body && JSON.stringify(body)};
            const answer = await fetch(`/hub/api/tinyberth/${path}`, options);
            return [answer.status, await answer.json()];
        }"""
        status, answer = self.page.evaluate(script, [method, path, body])
        return int(status), answer

"""Somebody goes to lunch: the server is parked, and the page finds everything as it was."""

from __future__ import annotations

import re
from collections.abc import Callable

from people_page import PeoplePage
from playwright.sync_api import Page, expect

from deployment import PASSWORD, Deployment, Person, first_link


def sign_in(page: Page, deployment: Deployment, name: str) -> None:
    page.goto(f"{deployment.url}/hub/login")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def run(page: Page, code: str) -> None:
    """Type ``code`` into JupyterLab's open console and run it."""
    prompt = page.locator(".jp-CodeConsole-promptCell .cm-content")
    prompt.click()
    page.keyboard.type(code)
    page.keyboard.press("Shift+Enter")


def test_a_variable_in_a_console_is_there_after_the_server_was_parked(
    open_browser: Callable[[], Page], deployment: Deployment
) -> None:
    deployment.with_server("pk-gina")
    page = open_browser()
    sign_in(page, deployment, "pk-gina")
    page.wait_for_url(re.compile(r"//pk-gina\.hub\.localhost:\d+/user/pk-gina/lab"))
    page.locator(".jp-LauncherCard[data-category='Console']").first.click()
    expect(page.get_by_text("Python 3 (TinyBERT) | Idle")).to_be_visible()
    run(page, "kept = 6 * 7; print('kept', kept)")
    expect(page.locator(".jp-OutputArea-output").get_by_text("kept 42")).to_be_visible()

    admin = Person(deployment.url, "admin")
    admin.open_link(first_link(deployment.tinyberth("user", "link", "admin").stdout))
    admins = open_browser()
    sign_in(admins, deployment, "admin")
    admins.goto(f"{deployment.url}/hub/people")
    people = PeoplePage(admins)
    people.choose("pk-gina", "Park server…")
    people.press("Park server")
    people.told("The server of pk-gina is parked.")
    expect(people.row("pk-gina")).to_contain_text(re.compile(r"parked 0 min, \d+ MiB"))
    assert deployment.inspect(deployment.container("pk-gina"))["State"]["Paused"]
    expect(people.menu("pk-gina").get_by_role("button", name="Park server…")).to_be_disabled()
    admins.keyboard.press("Escape")

    # Nothing is pressed: the page is loaded again, and JupyterLab opens the console that it had.
    page.reload()
    page.wait_for_url(re.compile(r"//pk-gina\.hub\.localhost:\d+/user/pk-gina/lab"))
    expect(page.get_by_text("Python 3 (TinyBERT) | Idle")).to_be_visible()
    run(page, "print('still', kept)")
    expect(page.locator(".jp-OutputArea-output").get_by_text("still 42")).to_be_visible()
    people.page.reload()
    expect(people.row("pk-gina")).not_to_contain_text("parked")

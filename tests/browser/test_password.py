"""The own password, and a door that somebody else has locked, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from deployment import PASSWORD, Deployment, first_link, wait_until

NEW_PASSWORD = "another horse, same staple"
AT_THE_SERVER = re.compile(r"//pw-kim\.hub\.localhost:\d+/user/pw-kim/")


def sign_in(page: Page, deployment: Deployment, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{deployment.url}/hub/login")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(password)
    page.get_by_role("button", name="Sign in").click()


def server_status(page: Page) -> int:
    """Ask the server that ``page`` is at, as JupyterLab does every few seconds."""
    script = """async () => {
      const xsrf = document.cookie.match(/_xsrf=([^;]+)/)[1];
      const url = "/user/pw-kim/api/status";
      return (await fetch(url, {headers: {"X-XSRFToken": xsrf}})).status;
    }"""
    return int(page.evaluate(script))


def is_told_to_wait(page: Page, deployment: Deployment) -> bool:
    sign_in(page, deployment, "pw-leo", "not the password")
    expect(page.get_by_text(re.compile("Invalid username|Too many"))).to_be_visible()
    return page.get_by_text("Too many wrong passwords for this name").is_visible()


def test_a_new_password_ends_the_sessions_of_other_browsers(
    open_browser: Callable[[], Page], deployment: Deployment, screenshots: Path
) -> None:
    deployment.with_server("pw-kim")
    here, elsewhere = open_browser(), open_browser()
    for page in (here, elsewhere):
        sign_in(page, deployment, "pw-kim")
        page.wait_for_url(AT_THE_SERVER, timeout=120_000)
        assert server_status(page) == 200

    at_work = here.context.new_page()
    at_work.goto(here.url)
    here.goto(f"{deployment.url}/hub/home")
    here.get_by_role("button", name="Password").click()
    expect(here.get_by_role("heading", name="Change your password")).to_be_visible()
    here.screenshot(path=screenshots / "password.png")
    here.get_by_label("Present password:").fill("not her password")
    here.get_by_label("New password:").fill(NEW_PASSWORD)
    here.get_by_role("button", name="Show").last.click()
    expect(here.get_by_label("New password:")).to_have_attribute("type", "text")
    here.get_by_role("button", name="Change password").click()
    expect(here.get_by_role("alert")).to_contain_text("That is not your present password")

    here.get_by_label("Present password:").fill(PASSWORD)
    here.get_by_label("New password:").fill(NEW_PASSWORD)
    here.get_by_role("button", name="Change password").click()
    expect(here.get_by_role("status")).to_contain_text("Your password is changed")

    wait_until(lambda: server_status(elsewhere) == 403, "the other browser is out of the server")
    elsewhere.reload()
    elsewhere.wait_for_url("**/hub/login?next=*")
    assert server_status(at_work) == 200
    here.goto(f"{deployment.url}/hub/home")
    expect(here.get_by_role("link", name="Logout").or_(here.locator("#logout"))).to_be_visible()
    sign_in(elsewhere, deployment, "pw-kim", NEW_PASSWORD)
    elsewhere.wait_for_url(AT_THE_SERVER)


def test_who_is_locked_out_reads_why_and_comes_in_by_a_link(
    open_browser: Callable[[], Page], deployment: Deployment, screenshots: Path
) -> None:
    deployment.add("pw-leo")
    page = open_browser()
    wait_until(lambda: is_told_to_wait(page, deployment), "the name is locked")
    expect(page.get_by_text("ask your admin for a one-time link")).to_be_visible()
    expect(page.get_by_label("Username:")).to_have_value("pw-leo")
    page.screenshot(path=screenshots / "throttled.png")

    page.goto(first_link(deployment.tinyberth("user", "link", "pw-leo").stdout))
    page.get_by_label("New password:").fill(PASSWORD)
    page.get_by_role("button", name="Set password and go in").click()
    page.wait_for_url("**/hub/spawn-pending/pw-leo")

"""Runs on ssh_server.py's laptop: opens a page in Chromium, perhaps signs in, says what it saw.

python3 laptop_browser.py URL [NAME PASSWORD]
"""

from __future__ import annotations

import json
import re
import sys

from playwright.sync_api import Error, sync_playwright

from browser.chromium import launch


def main(url: str, name: str = "", password: str = "") -> dict[str, str]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        page = chromium.new_page()
        page.set_default_timeout(60_000)
        try:
            page.goto(url)
        except Error as error:
            return {"error": error.message.splitlines()[0]}
        page.get_by_label("Password:").wait_for()
        seen = {"title": page.title(), "login": page.url}
        if name:
            page.get_by_label("Username:").fill(name)
            page.get_by_label("Password:").fill(password)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(re.compile(rf"//{name}\.hub\.localhost:\d+/user/{name}/lab"))
            # The kernels' list comes by a websocket's neighbour, the launcher by its own page.
            page.get_by_role("region", name="main area content").or_(
                page.locator("#jp-main-dock-panel")
            ).first.wait_for()
            seen["server"] = page.url
        return seen


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))

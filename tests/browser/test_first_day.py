"""The first day, in a real browser: the admin's link, alice, her server, the lesson to its end."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, expect

from deployment import PASSWORD, Deployment, first_link

LESSON = "Disaster tweets with TinyBERT.ipynb"
RESULTS = "results/disaster-tweets"


def choose_password(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("New password:").fill(PASSWORD)
    page.get_by_role("button", name="Set password and go in").click()


def test_the_lesson_runs_from_the_admins_link_to_files_owned_by_alice(
    open_browser: Callable[[], Page],
    deployment: Deployment,
    shared_data: Path,
    screenshots: Path,
) -> None:
    tweets = deployment.host_data_dir / "datasets" / "disaster-tweets"
    for name in ("train.csv", "test.csv"):
        shutil.copy(shared_data / "disaster-tweets" / name, tweets / name)

    admin_page = open_browser()
    choose_password(admin_page, first_link(deployment.tinyberth("user", "link", "admin").stdout))
    admin_page.wait_for_url("**/hub/people")
    admin_page.get_by_role("link", name="Admin").click()
    admin_page.get_by_role("button", name="Add Users").click()
    admin_page.locator("textarea").fill("gwen")
    admin_page.get_by_role("button", name="Add Users").last.click()
    admin_page.get_by_role("textbox", name="user-search").fill("gwen")  # of a page of fifty
    expect(admin_page.get_by_text("gwen").first).to_be_visible()
    admin_page.screenshot(path=screenshots / "admin.png")

    page = open_browser()
    link = first_link(deployment.tinyberth("user", "link", "gwen").stdout)
    page.goto(link)
    expect(page.get_by_role("heading", name="Welcome, gwen")).to_be_visible()
    page.screenshot(path=screenshots / "welcome.png")
    page.get_by_label("New password:").fill(PASSWORD)
    page.get_by_role("button", name="Set password and go in").click()

    # She presses nothing else: the steps, then her server.
    page.wait_for_url("**/hub/spawn-pending/gwen")
    log = page.locator("#progress-log")
    page.locator("#progress-details summary").click()
    for step in [r"Preparing your files \(uid \d+\)", "Starting your container"]:
        expect(log).to_contain_text(re.compile(step))
    expect(log).to_contain_text("Starting Jupyter")
    page.screenshot(path=screenshots / "spawn.png")
    page.wait_for_url(re.compile(r"//gwen\.hub\.localhost:\d+/user/gwen/"), timeout=120_000)

    page.goto(f"{page.url.split('/lab')[0]}/lab/tree/notebooks/{quote(LESSON)}")
    expect(page.get_by_role("main").get_by_text("TinyBERT").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Python 3 (TinyBERT) | Idle")).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()

    metrics_file = deployment.home("gwen") / RESULTS / "metrics.json"
    # the last cell lists what was written
    finished = page.locator(".jp-OutputArea-output").get_by_text("MB  /home/gwen/results").first
    expect(finished).to_be_visible(timeout=600_000)
    assert page.locator(".jp-OutputArea-output[data-mime-type*='error']").count() == 0
    # From the learning curves on: no tweet is in view, because those are not ours to show.
    page.locator(".jp-OutputArea-output img").nth(1).evaluate("it => it.scrollIntoView()")
    page.screenshot(path=screenshots / "notebook.png")

    metrics = json.loads(metrics_file.read_text())
    assert (metrics["data"], metrics["tweets"]) == ("train.csv", 7613)
    assert metrics["accuracy"] >= 0.78
    assert metrics["f1"] >= 0.70
    submission = (metrics_file.parent / "submission.csv").read_text().splitlines()
    assert (submission[0], len(submission)) == ("id,target", 1 + 3263)

    uid = int(deployment.as_user("gwen", "id -u").stdout)
    written = list((deployment.home("gwen") / RESULTS).rglob("*"))
    assert {path.suffix for path in written} >= {".keras", ".png", ".json"}
    for path in written:
        assert (path.stat().st_uid, path.stat().st_gid) == (uid, uid), path


def test_she_signs_in_again_with_her_password_and_is_told_when_it_is_wrong(
    open_browser: Callable[[], Page], deployment: Deployment, screenshots: Path
) -> None:
    deployment.add("gwen")
    page = open_browser()
    page.goto(deployment.url)
    page.wait_for_url("**/hub/login?next=*")
    page.screenshot(path=screenshots / "login.png")
    page.get_by_label("Username:").fill("gwen")
    page.get_by_label("Password:").fill("not her password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Invalid username or password")).to_be_visible()
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"//gwen\.hub\.localhost:\d+/user/gwen/"), timeout=120_000)


def test_a_used_link_says_so_in_the_browser(
    open_browser: Callable[[], Page], deployment: Deployment
) -> None:
    deployment.tinyberth("user", "add", "hugo")
    link = first_link(deployment.tinyberth("user", "link", "hugo").stdout)
    first = open_browser()
    choose_password(first, link)
    first.wait_for_url("**/hub/spawn-pending/hugo")
    second = open_browser()
    second.goto(link)
    expect(second.get_by_role("alert")).to_contain_text("This link has been used")

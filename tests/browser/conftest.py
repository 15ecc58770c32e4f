"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chromium import launch
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from deployment import Deployment, localhost_names, start_deployment, variables_for_another

# Playwright's 5 s are too few beside the other tests, and the People page looks again every 10 s.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def deployment(project: str, work: Path) -> Iterator[Deployment]:
    """Return the one deployment that the files of this ring share."""
    with localhost_names():
        yield start_deployment(**variables_for_another("browser", work))


# Of a file, not of the run: Playwright's event loop runs as long as it does, and a file of unit
# tests that the same worker takes next could not run one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def open_browser(
    browser: Browser, request: pytest.FixtureRequest, screenshots: Path
) -> Iterator[Callable[[], Page]]:
    """Open browsers of their own for one person each; a failed test leaves what they saw."""
    contexts: list[BrowserContext] = []

    def open_one() -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.set_default_timeout(30_000)
        contexts.append(context)
        return context.new_page()

    failed_before = request.session.testsfailed
    yield open_one
    for number, context in enumerate(contexts):
        for page in context.pages:
            if request.session.testsfailed > failed_before:
                page.screenshot(path=screenshots / f"failed-{request.node.name}-{number}.png")
        context.close()


@pytest.fixture(scope="session")
def screenshots(out: Path) -> Path:
    """Return where screenshots go: `.state/test/screenshots`, which outlives the run."""
    folder = out / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""How the tests start Debian's Chromium."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Playwright

ALONE = Path(__file__).with_name("chromium-alone")
"""Chromium that no container's start disturbs."""

# What keeps Chromium from looking for updates, accounts and field trials on the internet.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--disable-dev-shm-usage",
]


def launch(playwright: Playwright, *flags: str) -> Browser:
    return playwright.chromium.launch(executable_path=ALONE, args=[*QUIET, *flags])

"""The benchmark of many people runs, with few of them; its 500 and its figures are bench/'s."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from people_fixtures import Admin

from deployment import REPO, Deployment

sys.path.append(str(REPO / "bench"))

from people import Hub, measure


def test_many_are_imported_listed_and_removed(
    deployment: Deployment, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = Admin(deployment)
    made = admin.person.api("POST", "/users/admin/tokens", json={"note": "bench"})
    measure(Hub(deployment.url, made.json()["token"]), 25)
    (out / "bench-people.txt").write_text(capsys.readouterr().out)

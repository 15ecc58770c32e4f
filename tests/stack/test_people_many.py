"""Five hundred people through the API: the list of all answers. Figures are the bench's."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from people_fixtures import Admin

from deployment import REPO, Deployment

sys.path.append(str(REPO / "bench"))

from people import Hub, measure


def test_five_hundred_are_imported_listed_and_removed(deployment: Deployment, out: Path) -> None:
    admin = Admin(deployment)
    made = admin.person.api("POST", "/users/admin/tokens", json={"note": "bench"})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        measure(Hub(deployment.url, made.json()["token"]), 500)
    (out / "bench-people.txt").write_text(printed.getvalue())

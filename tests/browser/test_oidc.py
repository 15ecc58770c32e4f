"""People of a university: every step in Chromium, against a certified OpenID Connect provider."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from deployment import (
    REPO,
    Deployment,
    free_port,
    localhost_names,
    start_deployment,
    variables_for_another,
    wait_until,
)
from secret_search import holds, of_container, secrets_of

SECRET = "only-the-hub-and-the-provider-know-this"
JOSE = "José.García@uni.example"
JOSES_LOGIN = "jose-garcia--ooipcc62u6emf34y"


@dataclass
class University:
    """The provider as a process, and what it knows of people by their subject."""

    port: int
    folder: Path
    redirect_uri: str
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def know(self, subject: str, **claims: Any) -> None:
        self.people[subject] = {**self.people.get(subject, {}), **claims}
        (self.folder / "people.json").write_text(json.dumps(self.people), encoding="utf-8")

    def open(self) -> None:
        (self.folder / "secret").write_text(SECRET, encoding="utf-8")
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            ["node", REPO / "tests/oidc/provider.mjs", str(self.port), self.redirect_uri,
             self.folder / "secret", self.folder / "people.json"],
            stdout=log, stderr=log,
        )  # fmt: skip
        wait_until(self._answers, f"the provider answers, see {self.folder}/log")

    def close(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/.well-known/openid-configuration", timeout=5).ok
        except requests.RequestException:
            return False


@pytest.fixture(scope="module")
def variables(project: str, work: Path) -> dict[str, str]:
    return variables_for_another("oidc", work)


@pytest.fixture(scope="module")
def university(
    variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[University]:
    callback = f"http://hub.localhost:{variables['PORT']}/hub/oauth_callback"
    university = University(free_port(), tmp_path_factory.mktemp("university"), callback)
    university.know("ada-1", preferred_username="ada", groups=[])
    university.know("alice-1", preferred_username="Alice", groups=["students"])
    university.know(
        "jose-1",
        preferred_username=JOSE,
        email=JOSE,
        email_verified=True,
        groups=["nlp", "Physik für Anfänger"],
    )
    university.know(
        "mallory-1", preferred_username="mallory", email="mallory@uni.example",
        email_verified=False, groups=["guests"],
    )  # fmt: skip
    university.know("eve-1", preferred_username="eve@uni.example", email="eve@uni.example",
                    email_verified=False, groups=["students"])  # fmt: skip
    university.know("alice-2", preferred_username="alice", groups=["students"])
    university.open()
    yield university
    university.close()


@pytest.fixture(scope="module")
def campus(variables: dict[str, str], university: University) -> Iterator[Deployment]:
    """Return a deployment of its own whose people come from the university."""
    with localhost_names():
        yield start_deployment(
            **variables,
            AUTH="oidc",
            AUTH_URL=university.url,
            AUTH_NAME="University of Examples",
            AUTH_CLIENT_ID="tinyberth",
            AUTH_CLIENT_SECRET=SECRET,
            AUTH_GROUPS_CLAIM="groups",
            ADMIN="ada",
            ALLOW_GROUPS="students",
            ALLOW_DOMAINS="uni.example",
        )


BUTTON = "Sign in with University of Examples"


def come_as(page: Page, campus: Deployment, subject: str) -> None:
    """Go from the hub's first page to the provider, and be ``subject`` there."""
    page.goto(campus.url)
    page.get_by_role("button", name=BUTTON).click()
    say_who(page, subject)


def say_who(page: Page, subject: str) -> None:
    page.get_by_label("Who are you?").fill(subject)
    page.get_by_role("button", name="Sign in").click()


def wait_for_server(page: Page, login: str) -> None:
    page.wait_for_url(
        re.compile(rf"//{login}\.hub\.localhost:\d+/user/{login}/"),
        timeout=120_000,
        wait_until="commit",  # JupyterLab itself takes seconds more, and other tests look at it
    )


def ledger(campus: Deployment, file: str = "passwd") -> dict[str, list[str]]:
    lines = (campus.host_data_dir / "ledger" / file).read_text(encoding="utf-8").splitlines()
    return {line.split(":")[0]: line.split(":") for line in lines}


def test_up_says_who_the_admin_is_and_gives_no_link(campus: Deployment) -> None:
    assert "People sign in with University of Examples" in campus.up_output
    assert "calls ada is the admin" in campus.up_output
    assert "/hub/welcome#" not in campus.up_output


def test_a_student_presses_one_button_and_has_a_server(
    campus: Deployment, open_browser: Callable[[], Page], screenshots: Path
) -> None:
    page = open_browser()
    page.goto(campus.url)
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
    expect(page.get_by_label("Password:")).to_have_count(0)
    page.screenshot(path=screenshots / "sign-in-with.png")
    page.get_by_role("button", name=BUTTON).click()
    say_who(page, "alice-1")
    wait_for_server(page, "alice")
    uid = int(ledger(campus)["alice"][2])
    home = campus.home("alice").stat()
    assert (home.st_uid, home.st_gid, home.st_mode & 0o7777) == (uid, uid, 0o700)
    assert campus.as_user("alice", "id -u").stdout.strip() == str(uid)


def test_a_long_name_has_one_stable_login_a_home_and_teams(
    campus: Deployment, open_browser: Callable[[], Page], university: University
) -> None:
    page = open_browser()
    come_as(page, campus, "jose-1")
    wait_for_server(page, JOSES_LOGIN)
    entry = ledger(campus)[JOSES_LOGIN]
    uid = int(entry[2])
    assert entry[4] == JOSE
    home = campus.home(JOSES_LOGIN).stat()
    assert (home.st_uid, home.st_gid, home.st_mode & 0o7777) == (uid, uid, 0o700)

    groups = ledger(campus, "group")
    mine = {name: int(line[2]) for name, line in groups.items() if JOSES_LOGIN in line[3]}
    assert len(mine) == 2
    assert "nlp" in mine
    assert any(name.startswith("physik-fur-anf") for name in mine)
    campus.as_user(JOSES_LOGIN, "echo shared > /teams/nlp/notes")
    notes = (campus.host_data_dir / "teams" / "nlp" / "notes").stat()
    assert (notes.st_uid, notes.st_gid) == (uid, mine["nlp"])

    # The name and the address change at the university; he is who he was.
    university.know("jose-1", preferred_username="jg@uni.example", email="jg@uni.example",
                    groups=["nlp", "students"])  # fmt: skip
    before = set(ledger(campus))
    again = open_browser()
    come_as(again, campus, "jose-1")
    wait_for_server(again, JOSES_LOGIN)
    assert set(ledger(campus)) == before
    groups = ledger(campus, "group")
    assert {name for name, line in groups.items() if JOSES_LOGIN in line[3]} == {"nlp", "students"}


def test_a_stranger_is_refused_on_a_page_that_says_what_to_do(
    campus: Deployment, open_browser: Callable[[], Page], screenshots: Path
) -> None:
    before = ledger(campus)
    page = open_browser()
    come_as(page, campus, "mallory-1")
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("University of Examples knows you as mallory")
    expect(refusal).to_contain_text("Ask your admin who may come in")
    expect(refusal).to_contain_text("a verified address of uni.example")
    page.screenshot(path=screenshots / "sign-in-refused.png")
    assert ledger(campus) == before
    # Not the same refusal again and again: the provider asks who it is.
    page.get_by_role("button", name="Try again with").click()
    say_who(page, "alice-1")
    wait_for_server(page, "alice")


def test_a_name_that_is_an_unverified_email_is_refused(
    campus: Deployment, open_browser: Callable[[], Page]
) -> None:
    page = open_browser()
    come_as(page, campus, "eve-1")
    expect(page.get_by_role("alert")).to_contain_text("not verified at University of Examples")
    assert "eve" not in " ".join(ledger(campus))


def test_the_same_name_of_another_account_is_refused(
    campus: Deployment, open_browser: Callable[[], Page]
) -> None:
    first = open_browser()
    come_as(first, campus, "alice-1")
    wait_for_server(first, "alice")
    before = ledger(campus)
    page = open_browser()
    come_as(page, campus, "alice-2")
    expect(page.get_by_role("alert")).to_contain_text("The name alice belongs to another account")
    assert ledger(campus) == before


def test_after_signing_out_nobody_is_let_in_without_being_asked(
    campus: Deployment, open_browser: Callable[[], Page], screenshots: Path
) -> None:
    page = open_browser()
    come_as(page, campus, "alice-1")
    wait_for_server(page, "alice")
    page.goto(f"{campus.url}/hub/home")
    page.get_by_role("button", name="Logout").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.screenshot(path=screenshots / "signed-out.png")
    page.goto(f"{campus.url}/hub/home")
    page.get_by_role("button", name=BUTTON).click()
    expect(page.get_by_label("Who are you?")).to_be_visible()

    page.goto(f"{campus.url}/hub/logout")
    page.get_by_role("link", name="sign out of University of Examples, too").click()
    page.get_by_role("button", name="Sign out of the university").click()
    expect(page.get_by_text("You are signed out of the university")).to_be_visible()


def test_cancelled_at_the_provider_and_forged_answers_are_pages(
    campus: Deployment, open_browser: Callable[[], Page]
) -> None:
    page = open_browser()
    callback = f"{campus.url}/hub/oauth_callback"
    for query, said in [
        ("error=access_denied&error_description=Call+0900+123", "did not sign you in"),
        ("error=server_error", "does not answer"),
        ("code=x&state=eyJzdGF0ZV9pZCI6ICJ4In0=", "begun in another window"),
        ("code=x&state=%FF", "begun in another window"),
        ("code=x", "begun in another window"),
        ("", "begun in another window"),
    ]:
        page.goto(f"{callback}?{query}")
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_text("0900")).to_have_count(0)


def test_the_admin_adds_people_by_the_name_that_the_university_gives(
    campus: Deployment, open_browser: Callable[[], Page]
) -> None:
    name = "Grace.Hopper@other.example"
    added = campus.tinyberth("user", "add", name)
    assert "/hub/welcome#" not in added.stdout
    (login,) = [login for login, entry in ledger(campus).items() if entry[4] == name]
    assert login.startswith("grace-hopper--")
    assert campus.tinyberth("user", "add", login, check=False).returncode != 0
    link = campus.tinyberth("user", "link", name, check=False)
    assert link.returncode != 0
    assert "sign in with University of Examples" in link.stderr
    for path in ("/hub/welcome", "/hub/password"):
        assert requests.get(f"{campus.url}{path}", timeout=30).status_code == 404


CHANGE_TEAMS = """async () => {
    const reply = await fetch("/hub/api/tinyberth/people/alice", {
        method: "PATCH",
        headers: {"X-XSRFToken": window.jhdata.xsrf_token},
        body: JSON.stringify({teams: ["nlp"]}),
    });
    return [reply.status, await reply.text()];
}"""


def test_the_admin_is_let_in_without_a_rule_and_leaves_the_teams_to_the_university(
    campus: Deployment, open_browser: Callable[[], Page]
) -> None:
    page = open_browser()
    page.goto(f"{campus.url}/hub/admin")
    page.get_by_role("button", name=BUTTON).click()
    say_who(page, "ada-1")
    page.wait_for_url("**/hub/admin")
    status, text = page.evaluate(CHANGE_TEAMS)
    assert status == 409, text
    assert "comes from University of Examples" in text


def test_a15_the_secret_is_the_hubs_alone(
    campus: Deployment, open_browser: Callable[[], Page]
) -> None:
    page = open_browser()
    come_as(page, campus, "alice-1")
    wait_for_server(page, "alice")
    names = campus.docker(
        "ps", "--all", "--format", "{{.Names}}", "--filter", f"name=^{campus.project}"
    ).stdout.split()
    assert campus.container("alice") in names
    holders = {name for name in names if SECRET in json.dumps(campus.inspect(name))}
    assert holders == {campus.service("hub")}
    assert SECRET not in campus.compose("logs").stdout
    secrets = {**secrets_of(campus), "the provider's": SECRET.encode()}
    assert len(secrets) == 4
    for place, seen in of_container(campus, "alice"):
        assert holds(seen, secrets) == set(), place


def test_while_the_provider_is_down_a_page_says_so_and_servers_run_on(
    campus: Deployment, open_browser: Callable[[], Page], university: University
) -> None:
    alices = open_browser()
    come_as(alices, campus, "alice-1")
    wait_for_server(alices, "alice")
    running = campus.inspect(campus.container("alice"))["Id"]
    university.close()
    try:
        page = open_browser()
        page.goto(campus.url)
        page.get_by_role("button", name=BUTTON).click()
        expect(page.get_by_role("alert")).to_contain_text("University of Examples does not answer")
        # Not even a hub that starts meanwhile minds.
        campus.compose("restart", "hub")
        wait_until(campus.hub_healthy, "the hub is back")
        lab = f"http://alice.hub.localhost:{campus.port}/user/alice/lab"
        answer = alices.goto(lab, wait_until="commit")
        assert answer
        assert answer.status == 200
        assert campus.inspect(campus.container("alice"))["Id"] == running
        page.goto(f"{campus.url}/hub/oauth_login")
        expect(page.get_by_role("alert")).to_contain_text("University of Examples does not answer")
        log = campus.compose("logs", "hub").stdout
        assert "cannot be reached" in log
        assert "Traceback" not in log
    finally:
        university.open()
    again = open_browser()
    come_as(again, campus, "alice-1")
    wait_for_server(again, "alice")


def test_b6_without_an_allow_rule_nothing_starts(campus: Deployment) -> None:
    bare = {**os.environ, **campus.variables, "ALLOW_GROUPS": "", "ALLOW_DOMAINS": ""}
    refused = subprocess.run(
        [REPO / "tinyberth", "up", "--yes"], env=bare, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 3
    assert "AUTH=oidc lets nobody in without a rule" in refused.stderr
    # And where the launcher is not asked: each service checks for itself.
    for service, command in [("hub", ["serve"]), ("ledger", []), ("warden", [])]:
        refused = subprocess.run(
            ["docker", "compose", "--project-directory", REPO, "run", "--rm", "--no-deps",
             service, *(["tinyberth-hub"] if service == "hub" else []), *command],
            env=bare, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert refused.returncode == 3, refused.stdout + refused.stderr
        assert "AUTH=oidc lets nobody in without a rule" in refused.stdout + refused.stderr

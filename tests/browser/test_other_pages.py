"""What pages of other sites, ports and people get out of a browser that is signed in (A11)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
import requests
from attacking_pages import Elsewhere, attacking_notebook, elsewhere, posting_page
from playwright.sync_api import Page, expect

from deployment import PASSWORD, Deployment, Person, first_link


@pytest.fixture(scope="module")
def other() -> Iterator[Elsewhere]:
    with elsewhere() as other:
        yield other


def sign_in(page: Page, deployment: Deployment, name: str) -> None:
    page.goto(f"{deployment.url}/hub/login?next=%2Fhub%2Fhome")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/hub/home")


def as_admin(page: Page, deployment: Deployment) -> None:
    Person(deployment.url, "admin").open_link(
        first_link(deployment.tinyberth("user", "link", "admin").stdout)
    )
    sign_in(page, deployment, "admin")


def is_signed_in_as(page: Page, deployment: Deployment, name: str) -> bool:
    page.goto(f"{deployment.url}/hub/home")
    return page.evaluate("window.jhdata.user") == name


def test_a11_no_cookie_reaches_another_port_of_this_machine(
    open_browser: Callable[[], Page], deployment: Deployment, other: Elsewhere
) -> None:
    alice = deployment.with_server("alice")
    page = open_browser()
    sign_in(page, deployment, "alice")
    page.goto(f"{alice.server_url}/api/me", wait_until="commit")
    page.goto(f"{alice.server_url}/lab", wait_until="commit")
    page.wait_for_url(
        re.compile(r"//alice\.hub\.localhost:\d+/user/alice/lab"), wait_until="commit"
    )
    assert {cookie["name"] for cookie in page.context.cookies()} >= {
        "jupyterhub-hub-login", "jupyterhub-session-id", "jupyterhub-user-alice", "_xsrf",
    }  # fmt: skip
    for name in ("127.0.0.1", "localhost", "elsewhere.localhost"):
        for path in ("/hub/home", "/user/alice/lab", "/"):
            page.goto(f"http://{name}:{other.port}{path}")
            assert name + path in other.seen
            assert name + path not in other.cookies
        # The control: a cookie for that name does come, to every port of it.
        page.goto(f"http://{name}:{other.port}/give")
        page.goto(f"http://{name}:{other.port}/hub/again")
        assert other.cookies[f"{name}/hub/again"] == "given=here"
    # What docs/security.md does not promise: the hub's own name, at another port.
    page.goto(f"http://hub.localhost:{other.port}/hub/home")
    assert "jupyterhub-hub-login" in other.cookies["hub.localhost/hub/home"]


def test_a11_the_name_of_this_machine_leads_to_the_hub(
    open_browser: Callable[[], Page], deployment: Deployment
) -> None:
    page = open_browser()
    for name in ("localhost", "127.0.0.1"):
        page.goto(f"http://{name}:{deployment.port}/hub/login?next=%2Fhub%2Ftoken")
        assert page.url == f"{deployment.url}/hub/login?next=%2Fhub%2Ftoken"
        expect(page.get_by_label("Password:")).to_be_visible()
    page.goto(f"http://elsewhere.localhost:{deployment.port}/")
    expect(page.get_by_role("heading", name="This hub has another name")).to_be_visible()
    expect(page.get_by_text(f"Open {deployment.url}.")).to_be_visible()


def test_a11_forms_of_another_site_change_nothing(
    open_browser: Callable[[], Page], deployment: Deployment, other: Elsewhere
) -> None:
    page = open_browser()
    as_admin(page, deployment)
    xsrf = next(c["value"] for c in page.context.cookies() if c["name"] == "_xsrf")
    form, text = "application/x-www-form-urlencoded", "text/plain"
    person = {'{"name": "planted", "x": "': '"}'}  # as text/plain that is JSON
    attacks: list[tuple[str, dict[str, str], str]] = [
        ("/hub/login", {"username": "alice", "password": PASSWORD, "_xsrf": str(xsrf)}, form),
        ("/hub/spawn", {"_xsrf": str(xsrf)}, form),
        ("/hub/logout", {}, form),
        ("/hub/api/tinyberth/people", person, text),
        ("/hub/api/users/admin/server", {}, text),
        ("/hub/password", {"_xsrf": str(xsrf)}, form),
    ]
    for number, (path, fields, kind) in enumerate(attacks):
        other.pages[f"/{number}"] = posting_page(f"{deployment.url}{path}", fields, kind)
        page.goto(f"http://evil.localhost:{other.port}/{number}", wait_until="commit")
        expect(page.get_by_role("heading", name="That came from another page")).to_be_visible()
    page.goto(f"http://evil.localhost:{other.port}/")
    page.evaluate(f"location = '{deployment.url}/hub/logout'")
    expect(page.get_by_role("heading", name="That came from another page")).to_be_visible()
    # A link there may still lead to the hub, where she is who she was.
    page.goto(f"http://evil.localhost:{other.port}/")
    page.evaluate(f"location = '{deployment.url}/hub/home'")
    page.wait_for_url("**/hub/home")
    assert page.evaluate("window.jhdata.user") == "admin"
    listed = deployment.tinyberth("user", "list").stdout
    assert "\nplanted " not in listed


def test_a11_a_persons_notebook_gets_nothing_out_of_its_readers_browser(
    open_browser: Callable[[], Page], deployment: Deployment
) -> None:
    """The admin opens what mallet shows on a server of mallet's: names apart, yet one site."""
    alice, mallet = deployment.with_server("alice"), deployment.with_server("mallet")
    page = open_browser()
    as_admin(page, deployment)
    for person, what in ((alice, "/tree"), (mallet, "/tree")):
        page.goto(f"{person.server_url}{what}")
        page.get_by_role("button", name="Authorize").click()
        page.wait_for_url(re.compile(rf"/user/{person.name}/tree"), wait_until="commit")
    # Good for any browser of this kind, and anybody can fetch one.
    agent = {"User-Agent": page.evaluate("navigator.userAgent")}
    token = requests.get(f"{deployment.url}/hub/login", headers=agent, timeout=30).cookies["_xsrf"]
    notebook = attacking_notebook(
        HUB=deployment.url, OWN=mallet.server_url, ALICE=alice.server_url, TOKEN=str(token),
        WHO="mallet", PASSWORD=PASSWORD,
    )  # fmt: skip
    api = f"{mallet.server_url}/api/contents/look.ipynb"
    headers = {"Authorization": f"token {mallet.make_token()}"}
    saved = requests.put(
        api, json={"type": "notebook", "content": notebook}, headers=headers, timeout=60
    )
    assert saved.ok, saved.text
    assert requests.post(f"{api}/trust", headers=headers, timeout=60).ok

    page.goto(f"{mallet.server_url}/notebooks/look.ipynb")
    page.wait_for_function("document.documentElement.dataset.tried", timeout=120_000)
    tried = json.loads(page.evaluate("document.documentElement.dataset.tried"))

    # The control: it ran, with what the admin may at that server.
    assert (tried.pop("own files"), tried.pop("own socket")) == ("200", "open")
    assert tried == {
        "hub: who": "blocked", "hub: people": "blocked", "hub: in this origin": "blocked",
        "alice: files": "blocked", "alice: socket": "refused", "hub: add": "not told",
        "hub: sign out": "not told", "hub: framed": "not told",
        "hub: sign in as the attacker": "not told",
    }  # fmt: skip
    assert is_signed_in_as(page, deployment, "admin")
    assert "\nplanted " not in deployment.tinyberth("user", "list").stdout

    # Mallet's own cookie, planted beside the admin's: nobody becomes mallet without a word.
    page.goto(f"{mallet.server_url}/tree", wait_until="commit")
    own = next(c.value for c in mallet.session.cookies if c.name == "jupyterhub-hub-login")
    planted = f"jupyterhub-hub-login={own}; domain=hub.localhost; path=/hub/"
    page.evaluate(f"document.cookie = {json.dumps(planted)}")
    page.goto(f"{deployment.url}/hub/home")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto(f"{deployment.url}/hub/home")
    expect(page.get_by_label("Password:")).to_be_visible()

"""A parked server: nothing of it is lost, and whoever comes back finds a server, whatever fell."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from people_fixtures import Admin

from deployment import Deployment, Person, wait_until
from kernels import Kernel

VISIT = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
"""What a browser says of a page that is opened or loaded again."""

Park = Callable[[str], tuple[Person, Kernel]]


@pytest.fixture(scope="module")
def admin(deployment: Deployment) -> Admin:
    return Admin(deployment)


@pytest.fixture
def parked(deployment: Deployment) -> Park:
    """Return a way to a person whose server is parked, with a variable in a kernel of it."""

    def make(name: str) -> tuple[Person, Kernel]:
        person = deployment.with_server(name)
        kernel = Kernel(person)
        kernel.run("kept = 'as it was'")
        deployment.tinyberth("user", "park", name)
        assert state(deployment, name)["Paused"]
        return person, kernel

    return make


def state(deployment: Deployment, name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment.inspect(deployment.container(name))["State"]
    return found


def is_there(deployment: Deployment, name: str) -> bool:
    filters = ("--filter", f"name=^/{deployment.container(name)}$")
    return bool(deployment.docker("ps", "--all", "--quiet", *filters).stdout)


def shown(deployment: Deployment, name: str) -> Any:
    """Return the server of a person as the terminal tells it to scripts."""
    return json.loads(deployment.tinyberth("user", "show", name, "--json").stdout)["server"]


def visit(person: Person, path: str = "/lab", headers: Any = VISIT) -> requests.Response:
    """Load a page of the own server again, as a browser does."""
    url = f"{person.url.replace('//hub.', f'//{person.name}.hub.')}/user/{person.name}{path}"
    return person.session.get(url, headers=headers, timeout=60)


def assert_it_goes_on(person: Person, kernel: Kernel, answer: requests.Response) -> None:
    """Whatever the way, the visit ended at the same server with the same variables."""
    assert answer.status_code == 200, answer.text
    assert answer.url.startswith(person.server_url)
    assert kernel.run("print(kept)") == "as it was\n"


def kill_hub(deployment: Deployment) -> None:
    """Kill -9 the hub; the engine takes that for a wish and starts it no more."""
    deployment.docker("kill", deployment.service("hub"))


def start_hub(deployment: Deployment) -> None:
    deployment.docker("start", deployment.service("hub"))
    wait_until(deployment.hub_healthy, "the hub answers again", 180)


def test_a_parked_server_goes_on_where_it_was(deployment: Deployment, parked: Park) -> None:
    person, kernel = parked("pk-ann")
    before = deployment.inspect(deployment.container("pk-ann"))
    assert person.server() is None, "to JupyterHub it is stopped"
    server = shown(deployment, "pk-ann")
    assert server["parked_since"]
    assert server["memory"] > 20 * 2**20
    listing = deployment.tinyberth("user", "list").stdout
    assert re.search(r"^pk-ann .* parked \d+ s, \d+M ", listing, re.MULTILINE)
    assert "Your server is parked since" in person.session.get(f"{person.url}/hub/home").text
    # It ends with 1 while a service is not healthy yet that another test stopped.
    status = deployment.tinyberth("status", check=False).stdout
    assert re.search(rf"{deployment.container('pk-ann')} +Up .* \(parked\)\n", status)

    answer = visit(person)
    assert_it_goes_on(person, kernel, answer)
    ways = [step.url for step in answer.history]
    assert not any("spawn" in url for url in ways), f"a page stands between: {ways}"
    after = deployment.inspect(deployment.container("pk-ann"))
    assert (after["Id"], after["State"]["Pid"]) == (before["Id"], before["State"]["Pid"])
    assert shown(deployment, "pk-ann")["parked_since"] is None

    # By the button of the home page, in a browser that has not been here before.
    deployment.tinyberth("user", "park", "pk-ann")
    elsewhere = Person(deployment.url, "pk-ann")
    assert elsewhere.sign_in().status_code == 302
    answer = elsewhere.session.get(f"{person.url}/hub/spawn/pk-ann", headers=VISIT)
    assert_it_goes_on(person, kernel, answer)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/kernels", {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}),
        ("/api/contents", {"Accept": "*/*"}),
        ("/static/lab/main.js", {"Accept": "*/*", "Sec-Fetch-Mode": "no-cors"}),
        ("/lab/api/settings", {"Accept": "application/json"}),
    ],
)
def test_what_an_open_page_asks_by_itself_wakes_nobody(
    deployment: Deployment, parked: Park, path: str, headers: dict[str, str]
) -> None:
    person, _ = (
        parked("pk-ben")
        if not is_parked(deployment, "pk-ben")
        else (deployment.people["pk-ben"], None)
    )
    assert visit(person, path, headers).status_code == 424
    assert state(deployment, "pk-ben")["Paused"]


def is_parked(deployment: Deployment, name: str) -> bool:
    return is_there(deployment, name) and bool(state(deployment, name)["Paused"])


def test_f1_a_hub_that_dies_right_after_the_pause(deployment: Deployment) -> None:
    """It wrote down a running server, which it finds paused."""
    person = deployment.with_server("pk-cora")
    kernel = Kernel(person)
    kernel.run("kept = 'as it was'")
    kill_hub(deployment)
    deployment.docker("pause", deployment.container("pk-cora"))
    start_hub(deployment)
    wait_until(lambda: (shown(deployment, "pk-cora") or {}).get("parked_since"), "it is parked")
    assert_it_goes_on(person, kernel, visit(person))


def test_f1_a_hub_that_dies_while_it_lets_a_server_go_on(
    deployment: Deployment, parked: Park
) -> None:
    """The server does not answer in time, so that the death falls before the hub wrote it down."""
    person, kernel = deployment.with_server("pk-dirk"), Kernel(deployment.people["pk-dirk"])
    kernel.run("kept = 'as it was'")
    server_pid = kernel.run("import os; print(os.getppid())").strip()
    deployment.as_user("pk-dirk", f"kill -STOP {server_pid}")
    deployment.tinyberth("user", "park", "pk-dirk")
    page = threading.Thread(target=lambda: person.api("POST", "/users/pk-dirk/server"))
    page.start()
    wait_until(lambda: not state(deployment, "pk-dirk")["Paused"], "it runs again")
    kill_hub(deployment)
    page.join()
    deployment.as_user("pk-dirk", f"kill -CONT {server_pid}")
    assert not state(deployment, "pk-dirk")["Paused"]
    start_hub(deployment)
    wait_until(lambda: (shown(deployment, "pk-dirk") or {}).get("parked_since"), "it is parked")
    assert_it_goes_on(person, kernel, visit(person))


def test_f2_hub_and_warden_restart_while_it_is_parked(
    deployment: Deployment, parked: Park
) -> None:
    person, kernel = parked("pk-dirk")
    deployment.docker("restart", deployment.service("hub"), deployment.service("warden"))
    wait_until(deployment.hub_healthy, "the hub answers again", 180)
    assert_it_goes_on(person, kernel, visit(person))


def build_image_again(deployment: Deployment, name: str) -> None:
    image = f"{deployment.project}-singleuser:0.1.0"
    deployment.docker("tag", image, f"{image}-before")
    folder = deployment.host_data_dir.parent / "another-build"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(f"FROM {image}\nLABEL of=another-build\n")
    deployment.docker("build", "--tag", image, str(folder))


def join_a_team(deployment: Deployment, name: str) -> None:
    deployment.tinyberth("user", "team", name, "--join", "pk-team")


def end_its_container(deployment: Deployment, name: str) -> None:
    """End it as a restart of the engine or of the host does."""
    deployment.docker("kill", deployment.container(name))


def remove_its_container(deployment: Deployment, name: str) -> None:
    deployment.docker("rm", "--force", deployment.container(name))


@pytest.mark.parametrize(
    "change", [join_a_team, end_its_container, remove_its_container, build_image_again]
)
def test_what_a_start_would_not_make_now_is_replaced(
    deployment: Deployment, parked: Park, change: Callable[[Deployment, str], None]
) -> None:
    person, kernel = parked("pk-eli")
    before = deployment.inspect(deployment.container("pk-eli"))["Id"]
    change(deployment, "pk-eli")
    try:
        assert visit(person).status_code == 200, "the steps of a start, or already the page"
        wait_until(person.server_ready, "a new server is there")
        after = deployment.inspect(deployment.container("pk-eli"))
    finally:
        image = f"{deployment.project}-singleuser:0.1.0"
        if change is build_image_again:
            deployment.docker("tag", f"{image}-before", image)
    assert after["Id"] != before
    assert after["State"]["Running"]
    assert visit(person).url.startswith(person.server_url)
    assert visit(person, f"/api/kernels/{kernel.id}").status_code == 404
    assert server_tokens(person) == 1
    deployment.people["pk-eli"].stop_server()


def server_tokens(person: Person) -> int:
    answer = person.api("GET", f"/users/{person.name}/tokens").json()["api_tokens"]
    return sum(token["note"] == f"Server at /user/{person.name}/" for token in answer)


def test_a_stop_of_a_parked_server_is_a_stop(deployment: Deployment, parked: Park) -> None:
    person, _ = parked("pk-eli")
    assert server_tokens(person) == 1
    assert person.api("DELETE", "/users/pk-eli/server").status_code == 204
    assert not is_there(deployment, "pk-eli")
    assert (shown(deployment, "pk-eli"), server_tokens(person)) == (None, 0)
    parked("pk-eli")
    deployment.tinyberth("user", "stop", "pk-eli")
    assert not is_there(deployment, "pk-eli")
    refused = deployment.tinyberth("user", "park", "pk-eli", check=False)
    assert (refused.returncode, "No server of pk-eli runs" in refused.stderr) == (1, True)


def test_f14_who_is_renamed_or_removed_while_parked_leaves_no_container(
    deployment: Deployment, admin: Admin, parked: Park
) -> None:
    parked("pk-fay")
    admin.ok("POST", "/people/pk-fay/rename", {"to": "pk-faye"})
    assert not is_there(deployment, "pk-fay")
    person = Person(deployment.url, "pk-faye")
    assert person.sign_in().status_code == 302
    deployment.people["pk-faye"] = person
    parked("pk-faye")
    admin.ok("DELETE", "/people/pk-faye")
    assert not is_there(deployment, "pk-faye")
    again = admin.add("pk-faye")
    assert server_tokens(again) == 0

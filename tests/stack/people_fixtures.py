"""What the stack tests of people and teams have in common."""

from __future__ import annotations

from typing import Any

import requests

from deployment import PASSWORD, Deployment, Person, first_link


class Admin:
    """An admin who uses our people API in a browser."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.person = Person(deployment.url, "admin")
        self.person.open_link(first_link(deployment.tinyberth("user", "link", "admin").stdout))

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.person.api(method, f"/tinyberth{path}", json=body)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any, status: int, why: str) -> None:
        answer = self.ask(method, path, body)
        assert answer.status_code == status, answer.text
        assert why in answer.json()["message"]

    def add(self, name: str, **fields: Any) -> Person:
        """Add somebody, or take who is here already, in the teams that are told; signed in."""
        answer = self.ask("POST", "/people", {"name": name, **fields})
        if answer.status_code == 409:
            if "teams" in fields:
                self.ok("PATCH", f"/people/{name}", {"teams": fields["teams"]})
            link = self.ok("POST", f"/people/{name}/link")["link"]
        else:
            assert answer.status_code == 201, answer.text
            link = answer.json()["link"]
        person = Person(self.deployment.url, name)
        assert person.open_link(link).status_code == 302
        self.deployment.people[name] = person
        return person


def ledger(deployment: Deployment, file: str = "passwd") -> dict[str, list[str]]:
    """Return the lines of the ledger by their names, each as its fields."""
    text = (deployment.host_data_dir / "ledger" / file).read_text()
    return {line.split(":")[0]: line.split(":") for line in text.splitlines()}


def signed_in_at_own_server(person: Person) -> requests.Session:
    """Return a browser that the person's own server knows, by way of the hub's OAuth."""
    answer = person.session.get(f"{person.server_url}/lab", timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.url.startswith(person.server_url)
    return person.session


def same_password(deployment: Deployment, name: str) -> int:
    """Return the status of signing in as ``name`` with everybody's password."""
    return Person(deployment.url, name).sign_in(PASSWORD).status_code

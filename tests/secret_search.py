"""Look for a deployment's secrets in all that one person can see of it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping

import requests

from deployment import Deployment, Person

# What a person's own programs can read, but for the image, which was built before any secret was
# made: every file outside of it, and of each process what it was started with.
_READ = r"""
find / \( -path /opt -o -path /usr -o -path /proc -o -path /sys -o -path /datasets \) -prune \
    -o -type f -readable -size -20M -exec cat {} + 2> /dev/null
for p in /proc/[0-9]*; do cat $p/environ $p/cmdline $p/mountinfo $p/maps 2> /dev/null; done
cat /proc/keys /proc/net/unix /proc/mounts 2> /dev/null
ls -laR /run /var/lib/extrausers /teams 2> /dev/null
true
"""
_PAGES = (
    *("/hub/nowhere", "/hub/people", "/hub/admin", "/hub/error/500", "/hub/error/503?url=/user/x"),
    *(
        "/hub/api/nowhere",
        "/hub/api/users",
        "/hub/api/proxy",
        "/hub/api/info",
        "/hub/api/services",
    ),
    *("/hub/api/users/NAME", "/hub/api/tinyberth/people", "/hub/token", "/hub/home", "/nowhere"),
    *("/user/nobody/", "/hub/oauth_callback", "/hub/api/oauth2/authorize?client_id=x"),
    *("/user/NAME/api/nowhere", "/user/NAME/nowhere", "/user/NAME/api/contents"),
)


def secrets_of(deployment: Deployment) -> dict[str, bytes]:
    """Return every secret that the deployment made, by name; from its volumes, as root."""
    found = {
        name: _cat(deployment, "hub", f"/var/lib/tinyberth/{name}")
        for name in ("cookie_secret", "link-key", "cli-token")
    }
    found["proxy token"] = _cat(deployment, "proxy", "/run/tinyberth/proxy/token")
    # no link key where people sign in elsewhere
    return {name: secret.strip().encode() for name, secret in found.items() if secret}


def _cat(deployment: Deployment, service: str, path: str) -> str:
    return deployment.compose("exec", "-T", service, "cat", path, check=False).stdout


def of_container(deployment: Deployment, login: str) -> Iterator[tuple[str, bytes]]:
    """Yield what the person's programs can read, and what the admin sees of the container."""
    container = deployment.container(login)
    yield (
        "files and processes",
        subprocess.run(
            ["docker", "exec", container, "bash", "-c", _READ], capture_output=True, check=True
        ).stdout,
    )
    yield "inspect", json.dumps(deployment.inspect(container)).encode()
    logs = deployment.docker("logs", container)
    yield "logs", (logs.stdout + logs.stderr).encode()


def of_pages(person: Person) -> Iterator[tuple[str, bytes]]:
    """Yield answers to somebody signed in, error pages of hub, proxy and server among them."""
    own_origin = person.server_url.split("/user/")[0]
    # Not the person's own session: what the pages set as cookies is for the look alone.
    session = requests.Session()
    session.cookies.update(person.session.cookies)
    token = {"Authorization": f"token {person.make_token()}"}
    for path in _PAGES:
        own = path.startswith("/user/NAME")
        for method in ("GET", "POST"):
            answer = session.request(
                method,
                (own_origin if own else person.url) + path.replace("NAME", person.name),
                headers=token if own else {},
                data="[1]" if method == "POST" else None,  # no object: Jupyter fails over it
                timeout=60,
                allow_redirects=False,
            )
            head = f"{answer.status_code}\n{answer.headers}\n"
            yield f"{method} {path}", head.encode() + answer.content


def holds(seen: bytes, secrets: Mapping[str, bytes]) -> set[str]:
    """Return the names of the secrets that are in ``seen``, in any form they are kept in."""
    return {
        name for name, secret in secrets.items() if any(form in seen for form in _forms(secret))
    }


def _forms(secret: bytes) -> Iterator[bytes]:
    yield secret
    try:
        raw = bytes.fromhex(secret.decode())
    except ValueError:
        raw = secret
    else:
        yield raw
    for encoded in (
        base64.b64encode(raw),
        base64.urlsafe_b64encode(raw),
        base64.b64encode(secret),
    ):
        yield encoded.rstrip(b"=")
    yield json.dumps(secret.decode()).strip('"').encode()

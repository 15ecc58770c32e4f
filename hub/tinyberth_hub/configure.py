"""JupyterHub's configuration, topic by topic.

Law of this module: each function sets, none appends, and each setting is set once.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jupyterhub.utils import subdomain_hook_idna

from tinyberth_common.settings import Settings

from .link_authenticator import LinkAuthenticator
from .log_lines import BoundedLogFormatter
from .parking import Rules
from .provider_names import is_slug
from .providers import update_provider
from .secret_files import ensure_secret
from .settings import (
    CLI_SERVICE,
    HUB_DATABASE,
    HUB_SOCKET,
    PEOPLE_SCOPE,
    PROXY_API_SOCKET,
    PROXY_TOKEN_FILE,
    STATE_DIR,
    HubSettings,
)
from .spawner import BerthSpawner

Config = Any
"""traitlets' Config: attributes appear when they are set, which no type describes."""


def configure(c: Config, hub: HubSettings) -> None:
    """Set everything that Tinyberth decides."""
    update_addresses(c, hub)
    update_state(c)
    update_proxy(c, PROXY_TOKEN_FILE.read_text(encoding="ascii").strip())
    update_spawner(c, hub)
    update_accounts(c, hub)
    update_cli_service(c, ensure_secret(STATE_DIR / "cli-token"))
    update_pages(c)
    update_log(c)
    update_tornado(c, hub)


def update_addresses(c: Config, hub: HubSettings) -> None:
    c.JupyterHub.bind_url = f"http://127.0.0.1:{hub.settings.port}"
    # What the browser sees is a setting, not what a header of the request says.
    c.JupyterHub.public_url = f"{hub.settings.public_url}/"
    if hub.settings.origins == "users":
        # Subdomains are the only reliable isolation between users (JupyterHub's docs), and
        # browsers resolve *.localhost to loopback without DNS, through ssh -L too.
        c.JupyterHub.subdomain_host = hub.settings.public_url
        c.JupyterHub.subdomain_hook = subdomain_of
        # No person's page can plant a __Host- cookie. Browsers take them over TLS alone,
        # and they lie on every path, which is why one shared name must not have them.
        c.JupyterHub.cookie_host_prefix_enabled = hub.settings.is_behind_tls
    c.JupyterHub.hub_bind_url = _unix_url(HUB_SOCKET)
    c.JupyterHub.hub_connect_url = _unix_url(HUB_SOCKET)
    # Every user's uid must be able to connect; who may do what is the API's own matter.
    c.JupyterHub.hub_socket_mode = 0o666


def update_state(c: Config) -> None:
    c.JupyterHub.db_url = f"sqlite:///{HUB_DATABASE}"
    c.JupyterHub.cookie_secret_file = str(STATE_DIR / "cookie_secret")
    # A restart of the hub leaves servers and routes as they are.
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False


def update_proxy(c: Config, token: str) -> None:
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = _unix_url(PROXY_API_SOCKET)
    c.ConfigurableHTTPProxy.auth_token = token
    # Seconds between two looks at the proxy's routes: a proxy that was restarted has none, and
    # people's servers are reached again only after the next look (JupyterHub's default is 300).
    c.JupyterHub.last_activity_interval = 20


def update_spawner(c: Config, hub: HubSettings) -> None:
    c.JupyterHub.spawner_class = BerthSpawner
    c.BerthSpawner.deployment = hub.deployment
    c.DockerSpawner.image = hub.user_image
    c.DockerSpawner.pull_policy = "never"  # our image is built here; no registry has it
    c.DockerSpawner.network_name = hub.user_network
    c.DockerSpawner.use_internal_ip = True
    c.DockerSpawner.remove = True  # a start is always from the present image, uid and teams
    # The warden needs the container after its death: for the last lines of its log.
    c.DockerSpawner.extra_host_config = {"auto_remove": False}
    c.Spawner.mem_limit = hub.settings.mem_limit
    c.Spawner.cpu_limit = hub.settings.cpu_limit
    c.Spawner.start_timeout = hub.settings.start_timeout
    c.Spawner.environment = {"JUPYTERHUB_ACTIVITY_INTERVAL": str(activity_interval(hub.settings))}


def update_accounts(c: Config, hub: HubSettings) -> None:
    # Not JupyterHub's admin_users, which would make this one an admin again at each start.
    c.BerthAuthenticator.first_admin = hub.settings.admin
    c.BerthAuthenticator.parking = parking_rules(hub.settings)
    if hub.settings.auth != "local":
        update_provider(c, hub.settings)
        return
    c.JupyterHub.authenticator_class = LinkAuthenticator
    c.LinkAuthenticator.link_days = hub.settings.link_days
    c.LinkAuthenticator.password_min = hub.settings.password_min
    c.LinkAuthenticator.public_url = hub.settings.public_url
    # Whoever has an account was added by an admin; there is no other way to get one.
    c.Authenticator.allow_all = True
    # For templates/page.html: who signs in elsewhere has no password here.
    c.JupyterHub.template_vars = {"has_password_page": True}


def update_cli_service(c: Config, token: str) -> None:
    """Let `tinyberth-hub user …` do what it is for and nothing else."""
    c.JupyterHub.services = [{"name": CLI_SERVICE, "api_token": token}]
    c.JupyterHub.custom_scopes = {
        PEOPLE_SCOPE: {
            "description": "Add, change and remove people, admins too, by Tinyberth's API"
        }
    }
    c.JupyterHub.load_roles = [
        {
            "name": CLI_SERVICE,
            "description": "Manage people and teams from the terminal",
            "scopes": [PEOPLE_SCOPE],
            "services": [CLI_SERVICE],
        }
    ]


def update_pages(c: Config) -> None:
    c.JupyterHub.template_paths = [str(Path(__file__).parent / "templates")]


def update_log(c: Config) -> None:
    formatter = f"{BoundedLogFormatter.__module__}.{BoundedLogFormatter.__name__}"
    c.JupyterHub.logging_config = {"formatters": {"console": {"class": formatter}}}


def update_tornado(c: Config, hub: HubSettings) -> None:
    # Lax by word: a browser's own default lets cookies of the last two minutes out with a POST.
    cookies = {"samesite": "Lax", **({"secure": True} if hub.settings.is_behind_tls else {})}
    c.JupyterHub.tornado_settings = {
        # JupyterHub would first wait 10 s in silence; people should see the steps at once.
        "slow_spawn_timeout": 0,
        "cookie_options": cookies,  # of people's servers, too
        # Besides frame-ancestors 'none', which JupyterHub sets, stricter still for its API.
        "headers": {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"},
    }


def parking_rules(settings: Settings) -> Rules:
    host_memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Rules(
        settings.park_after, settings.parked_memory.of(host_memory), settings.parked_hours
    )


def activity_interval(settings: Settings) -> int:
    """Return the seconds between two reports of a server on what it does; the stock 300 or less.

    Three fit into PARK_AFTER, so that one that is late does not look like an idle server.
    """
    return min(300, (settings.park_after or 15) * 60 // 3)


def subdomain_of(name: str, domain: str, kind: str) -> str:
    """Return the host name of a person's server.

    JupyterHub hashes whatever has ``--`` in it to 28 bits, of which two people may share one; a
    slug is a host name already, and nobody else's.
    """
    if kind == "user" and is_slug(name) and "_" not in name and name[2:4] != "--":
        return f"{name}.{domain}"
    return str(subdomain_hook_idna(name, domain, kind))


def _unix_url(socket: Path) -> str:
    return f"http+unix://{quote(str(socket), safe='')}"

"""What configure.py sets, on a bare traitlets Config with no hub running."""

from __future__ import annotations

import ast
import inspect

import pytest
from traitlets.config import Config

from tinyberth_common.settings import load
from tinyberth_hub import configure, healthcheck
from tinyberth_hub.settings import HUB_SOCKET, HubSettings, load_settings

WIRING = {
    "TINYBERTH_DEPLOYMENT": "tinyberth",
    "TINYBERTH_USER_IMAGE": "tinyberth-singleuser:0.1.0",
    "TINYBERTH_USER_NETWORK": "tinyberth_users",
}


def hub_settings(**variables: str) -> HubSettings:
    return HubSettings(load(variables), *WIRING.values())


def test_the_environment_is_read_as_compose_gives_it() -> None:
    hub = load_settings({**WIRING, "PORT": "8123", "PATH": "/usr/bin"})
    assert hub.settings.port == 8123
    assert hub.user_network == "tinyberth_users"


def test_users_have_their_own_origins_unless_told_otherwise() -> None:
    c = Config()
    configure.update_addresses(c, hub_settings(PORT="8123"))
    assert c.JupyterHub.subdomain_host == "http://hub.localhost:8123"
    shared = Config()
    configure.update_addresses(shared, hub_settings(ORIGINS="shared"))
    assert "subdomain_host" not in shared.JupyterHub
    assert shared.JupyterHub.public_url == "http://localhost:8000/"


def test_behind_tls_names_and_cookies_follow_the_public_url() -> None:
    behind = hub_settings(PUBLIC_URL="https://hub.example.org:8443/")
    c = Config()
    configure.update_addresses(c, behind)
    configure.update_tornado(c, behind)
    assert c.JupyterHub.subdomain_host == "https://hub.example.org:8443"
    assert c.JupyterHub.public_url == "https://hub.example.org:8443/"
    assert c.JupyterHub.cookie_host_prefix_enabled is True
    assert c.JupyterHub.tornado_settings["cookie_options"] == {"samesite": "Lax", "secure": True}
    shared, local = Config(), Config()
    on_one_name = hub_settings(PUBLIC_URL="https://hub.example.org", ORIGINS="shared")
    configure.update_addresses(shared, on_one_name)
    assert "cookie_host_prefix_enabled" not in shared.JupyterHub
    configure.update_addresses(local, hub_settings())
    configure.update_tornado(local, hub_settings())
    assert local.JupyterHub.cookie_host_prefix_enabled is False
    assert local.JupyterHub.tornado_settings["cookie_options"] == {"samesite": "Lax"}


def test_a_provider_sends_people_back_to_the_public_url() -> None:
    c = Config()
    configure.update_accounts(c, hub_settings(**OIDC, PUBLIC_URL="https://hub.example.org"))
    callback = "https://hub.example.org/hub/oauth_callback"
    assert c.OAuthenticator.oauth_callback_url == callback


def test_one_time_links_begin_with_the_public_url() -> None:
    c = Config()
    configure.update_accounts(c, hub_settings(PUBLIC_URL="https://hub.example.org"))
    assert c.LinkAuthenticator.public_url == "https://hub.example.org"


def test_the_hub_listens_on_a_socket_alone() -> None:
    c = Config()
    configure.update_addresses(c, hub_settings())
    url = "http+unix://%2Frun%2Ftinyberth%2Fhub%2Fhub.sock"
    assert c.JupyterHub.hub_bind_url == c.JupyterHub.hub_connect_url == url
    assert not {"hub_ip", "hub_port", "ip", "port"} & set(c.JupyterHub)


def test_a_restart_leaves_servers_and_routes() -> None:
    c = Config()
    configure.update_state(c)
    assert (c.JupyterHub.cleanup_servers, c.JupyterHub.cleanup_proxy) == (False, False)


def test_limits_follow_the_settings() -> None:
    c = Config()
    configure.update_spawner(c, hub_settings(MEM_LIMIT="2G", CPU_LIMIT="0.5", START_TIMEOUT="60"))
    assert (c.Spawner.mem_limit, c.Spawner.cpu_limit) == (2 * 2**30, 0.5)
    assert c.Spawner.start_timeout == 60


def test_the_terminal_service_may_use_our_people_api_and_nothing_of_jupyterhubs() -> None:
    c = Config()
    configure.update_cli_service(c, "t" * 64)
    (role,) = c.JupyterHub.load_roles
    assert (role["scopes"], role["services"]) == (["custom:tinyberth:people"], ["tinyberth-cli"])
    assert list(c.JupyterHub.custom_scopes) == ["custom:tinyberth:people"]


def test_the_first_admin_is_one_where_there_is_none_and_not_at_each_start() -> None:
    c = Config()
    configure.update_accounts(c, hub_settings(ADMIN="jane"))
    assert c.BerthAuthenticator.first_admin == "jane"
    assert "admin_users" not in c.Authenticator


def test_no_setting_is_set_twice() -> None:
    """The law of the module: set, never append, each setting once."""
    targets = [
        ast.unparse(target)
        for node in ast.walk(ast.parse(inspect.getsource(configure)))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if ast.unparse(target).startswith("c.")
    ]
    assert len(targets) == len(set(targets)) > 20


def test_the_healthcheck_looks_where_the_hub_listens() -> None:
    assert str(HUB_SOCKET) == healthcheck.HUB_SOCKET


@pytest.mark.parametrize("missing", WIRING)
def test_a_container_not_started_by_our_compose_file_is_told(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        load_settings({name: value for name, value in WIRING.items() if name != missing})


OIDC = {
    "AUTH": "oidc",
    "AUTH_URL": "https://login.uni.example",
    "AUTH_CLIENT_ID": "tinyberth",
    "AUTH_CLIENT_SECRET": "s3cr3t",
    "ADMIN": "ada@uni.example",
    "ALLOW_DOMAINS": "uni.example",
}


def test_passwords_or_a_provider_never_both() -> None:
    local, oidc = Config(), Config()
    configure.update_accounts(local, hub_settings())
    configure.update_accounts(oidc, hub_settings(**OIDC))
    assert local.JupyterHub.authenticator_class.__name__ == "LinkAuthenticator"
    assert oidc.JupyterHub.authenticator_class.__name__ == "OIDCAuthenticator"
    # Only a password that an admin's link has set lets in without a further rule.
    assert local.Authenticator.allow_all is True
    assert "allow_all" not in oidc.Authenticator
    assert "LinkAuthenticator" not in oidc
    assert "OAuthenticator" not in local


def test_every_persons_server_has_a_host_name_that_is_nobody_elses() -> None:
    slug = "jose-garcia--ooipcc62u6emf34y"
    assert configure.subdomain_of("alice", "hub.localhost", "user") == "alice.hub.localhost"
    assert configure.subdomain_of(slug, "hub.localhost", "user") == f"{slug}.hub.localhost"
    for name in ("ab--ooipcc62u6emf34y", "a_b", "xn--abc"):
        assert not configure.subdomain_of(name, "hub.localhost", "user").startswith(name)

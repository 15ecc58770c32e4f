"""A plain DockerSpawner hub, as the documents of JupyterHub and DockerSpawner describe one.

What is set is what has no default: names, ports, and an admin's token for the bench. Everything
that could make a difference in time is left as it comes.
"""

import os

c = get_config()

c.JupyterHub.spawner_class = "docker"
c.DockerSpawner.image = os.environ["STOCK_USER_IMAGE"]
c.DockerSpawner.prefix = os.environ["STOCK_PREFIX"]  # so that the bench finds what it made
c.DockerSpawner.pull_policy = "never"  # it was built here
c.JupyterHub.authenticator_class = "dummy"
# Containers reach the hub where Docker's bridge meets this machine, as the documents say.
c.JupyterHub.hub_ip = os.environ["STOCK_HUB_IP"]
# Free ports: other hubs may be on this machine.
c.JupyterHub.hub_port = int(os.environ["STOCK_HUB_PORT"])
c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['STOCK_PORT']}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['STOCK_PROXY_API_PORT']}"
c.JupyterHub.services = [{"name": "bench", "api_token": os.environ["STOCK_TOKEN"]}]
c.JupyterHub.load_roles = [{"name": "admin", "services": ["bench"]}]

"""JupyterHub's configuration: load the settings, set what they mean, nothing else.

What is set lives in hub/tinyberth_hub/configure.py. Settings go into .env (see .env.example).
For what neither covers, put files into jupyterhub_config.d/: they run last, in the order of
their names, with ``c`` to set.
"""

from pathlib import Path

from tinyberth_hub.configure import configure
from tinyberth_hub.settings import load_settings

c = get_config()
configure(c, load_settings())

for extra in sorted((Path(__file__).parent / "jupyterhub_config.d").glob("*.py")):
    load_subconfig(extra.name, str(extra.parent))

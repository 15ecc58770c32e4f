"""What every server of this image does; a user's own settings cannot undo it (THREATS A10)."""

import json
import os
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.paths import jupyter_path
from traitlets import default

from tinyberth_start.folders import home_folder

c = get_config()

HOME = Path.home()


class HomeKernelSpecManager(KernelSpecManager):
    """Offers kernels from the home too, the one thing there that the server may look for."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        # Not the default's list, which makes ~/.ipython and fails where it cannot.
        home = str(HOME / ".local/share/jupyter/kernels")
        closed = os.path.isdir(home) and not os.access(home, os.R_OK | os.X_OK)  # noqa: PTH112 -- raises for nothing
        return [*([] if closed else [home]), *jupyter_path("kernels")]


# Seconds that an answer of the hub about who somebody is counts (JupyterHub's default: 300). A
# session that ended, by a new password or by removal, ends here after as long.
c.HubOAuth.cache_max_age = 5

# The hub's options for cookies (Secure, SameSite) for the one that JupyterHub does not give them.
hub_cookies = json.loads(os.environ.get("JUPYTERHUB_COOKIE_OPTIONS", "{}"))
c.ServerApp.tornado_settings = {"xsrf_cookie_kwargs": hub_cookies}

c.ServerApp.kernel_spec_manager_class = HomeKernelSpecManager

# What the server itself keeps in a home: how the page looks, and which notebooks are trusted.
c.LabApp.user_settings_dir = str(home_folder(".jupyter/lab/user-settings"))
c.LabApp.workspaces_dir = str(home_folder(".jupyter/lab/workspaces"))
c.JupyterNotebookApp.user_settings_dir = c.LabApp.user_settings_dir
c.JupyterNotebookApp.workspaces_dir = c.LabApp.workspaces_dir
c.NotebookNotary.data_dir = str(home_folder(".local/share/jupyter"))
# Deleted files go to ~/.local/share/Trash; in a full home that fails, and would free nothing.
c.FileContentsManager.delete_to_trash = home_folder(".local/share/Trash").is_relative_to(HOME)

# Bash, in a way that no ~/.bashrc can take away. -S: it needs no package, and people wait for it.
c.ServerApp.terminado_settings = {
    "shell_command": [
        *("/opt/venv/bin/python", "-IS"),
        "/opt/tinyberth/lib/tinyberth_start/terminal.py",
    ]
}

# No calls home: no news, no look for updates, no catalogue of extensions to fetch.
c.LabApp.extension_manager = "readonly"
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
# No language server is in the image, and looking for one delays every start.
# notebook_shim brings what was written for the classic notebook before version 7, and IPython
# into the server's memory for it.
# Ours: what works unseen counts as activity, so that the hub neither parks nor stops it.
c.ServerApp.jpserver_extensions = {
    "jupyter_lsp": False,
    "notebook_shim": False,
    "tinyberth_start.activity": True,
}

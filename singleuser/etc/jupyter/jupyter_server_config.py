"""What every server of this image does; a user's own settings cannot undo it (THREATS A10)."""

import os
from pathlib import Path

from jupyter_core.paths import ENV_JUPYTER_PATH

c = get_config()

# Kernels of the user's own stay possible, although the rest of the home is not searched.
_home_kernels = Path(os.environ.get("HOME", "/nonexistent"), ".local/share/jupyter/kernels")
c.KernelSpecManager.kernel_dirs = [
    str(_home_kernels),
    *(str(Path(path, "kernels")) for path in ENV_JUPYTER_PATH),
]

# No calls home: no news, no look for updates, no catalogue of extensions to fetch.
c.LabApp.extension_manager = "readonly"
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
# No language server is in the image, and looking for one delays every start.
c.ServerApp.jpserver_extensions = {"jupyter_lsp": False}

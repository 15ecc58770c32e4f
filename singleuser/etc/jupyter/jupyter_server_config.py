"""What every server of this image does; a user's own settings cannot undo it (THREATS A10)."""

from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from traitlets import default

c = get_config()


class HomeKernelSpecManager(KernelSpecManager):
    """Offers kernels from the home too, the one thing there that the server may look for."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        home = Path.home() / ".local/share/jupyter/kernels"
        return [str(home), *super()._kernel_dirs_default()]


# Seconds that an answer of the hub about who somebody is counts (JupyterHub's default: 300). A
# session that ended, by a new password or by removal, ends here after as long.
c.HubOAuth.cache_max_age = 5

c.ServerApp.kernel_spec_manager_class = HomeKernelSpecManager

# No calls home: no news, no look for updates, no catalogue of extensions to fetch.
c.LabApp.extension_manager = "readonly"
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
# No language server is in the image, and looking for one delays every start.
c.ServerApp.jpserver_extensions = {"jupyter_lsp": False}

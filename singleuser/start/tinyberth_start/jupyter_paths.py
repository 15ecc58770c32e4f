"""Where the server looks for Jupyter's settings and extensions: in the image, nowhere else.

JupyterHub's own switch (``JUPYTERHUB_DISABLE_USER_CONFIG``) leaves out what lies in the home. A
``~/.jupyter`` that is a link to ``/teams`` or ``/tmp`` does not lie there, so code in it would run
in the server; and Jupyter looks into ``~/.jupyter`` before that switch counts, and ends where it
is no folder.
"""

from __future__ import annotations

from jupyter_core import paths


def leave_out_the_home() -> None:
    """Replace both functions that name folders of the home, before others import them.

    Not by variables of the environment: kernels and terminals would inherit them, and are to see
    what is in the home.
    """
    paths.jupyter_config_dir = lambda: paths.ENV_CONFIG_PATH[0]
    paths.jupyter_data_dir = lambda: paths.ENV_JUPYTER_PATH[0]

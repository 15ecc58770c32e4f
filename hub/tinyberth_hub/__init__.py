"""Tinyberth's hub: JupyterHub configured, one-time links, and a thin spawner."""

# For login shells, which is what Jupyter's terminals are. /etc/profile has just set PATH anew.
PATH="$HOME/.local/bin:/opt/venv/bin:$PATH"
umask 0002

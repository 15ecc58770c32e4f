"""Commands that mend folders and volumes: in a container, with one right, shown whole.

The launcher may not be root; and where it is, a container with one folder and one capability can
do less by mistake.
"""

from __future__ import annotations

from pathlib import Path

OWNER, MODE, SETGID, SEARCH = "CHOWN", "FOWNER", "FSETID", "DAC_READ_SEARCH"
"""To give a file away; to change another's mode; to keep setgid; to enter closed folders."""


def command(
    image: str, source: Path | str, rights: tuple[str, ...], *words: str
) -> tuple[str, ...]:
    """Return the command that runs ``words`` where ``source``, a folder or a volume, is /it."""
    kind = "bind" if isinstance(source, Path) else "volume"
    return (
        *("docker", "run", "--rm", "--network", "none", "--read-only", "--user", "0:0"),
        *("--cap-drop", "ALL", *(word for right in rights for word in ("--cap-add", right))),
        *("--security-opt", "no-new-privileges"),
        *("--mount", f"type={kind},source={source},target=/it"),
        *(image, *words),
    )

"""From ssh's last lines to why there is no tunnel and what to do: a pure table."""

from __future__ import annotations

import re

# (pattern, why, what to do); the first that matches wins. {there} is USER@HOST, {port} a number.
_HINTS = (
    (
        r"remote host identification has changed",
        "The server's key is another one than last time: a new server, or somebody in between.",
        "Ask its admin for the new key's fingerprint before you do what ssh says above.",
    ),
    (
        r"Host key verification failed",
        "The server's key is not known here, or was not accepted.",
        "Run `ssh {there}` once and compare the fingerprint with the one its admin gives you.",
    ),
    (
        r"Permission denied|Too many authentication failures|No supported authentication",
        "The server did not accept the key or the password.",
        "Check the user's name, and which key: ./tinyberth tunnel {there} -- -i ~/.ssh/KEY",
    ),
    (
        r"Could not resolve hostname",
        "The server's name is not known.",
        "Check its spelling, this machine's network, and VPN where one is needed.",
    ),
    (
        r"administratively prohibited|forwarding (is )?disabled",
        "The server lets you in, but its sshd does not let this tunnel through.",
        "Its admin finds in docs/tunnel.md what to allow: permitopen, AllowTcpForwarding.",
    ),
    (
        r"open failed",
        "The server lets you in, but no hub listens there, or it is not yours to open.",
        "On the server, `./tinyberth status` says whether it runs, and at which port (here: "
        "--port N) or unix socket (here: --socket PATH).",
    ),
    (
        r"Address already in use|cannot listen to port|Could not request local forwarding",
        "Port {port} of this machine is in use.",
        "Close the other program; the hub's own links name this port, so it must be this one.",
    ),
    (
        r"Connection refused",
        "The machine is there, but no sshd answers on that port.",
        "Check the name. Another port of sshd's: ./tinyberth tunnel {there} -- -p 2222",
    ),
    (
        r"Connection timed out|Operation timed out|No route to host|Network is unreachable",
        "The server does not answer: down, behind a firewall, or no network here.",
        "Check this machine's network, and VPN where one is needed.",
    ),
    (
        r"not responding|Broken pipe|Connection reset|closed by remote host|Connection closed",
        "The connection was lost or closed by the server.",
        "Run the same command again: the hub and what runs on it were not touched.",
    ),
)


def hint_for_ssh(lines: list[str], there: str, port: int) -> tuple[str, str]:
    """Return (why, what to do) for what ssh said last."""
    text = "\n".join(lines)
    for pattern, why, remedy in _HINTS:
        if re.search(pattern, text, re.IGNORECASE):
            return why.format(port=port), remedy.format(there=there)
    return (
        "ssh ended, or what answers at the other end is no hub; what ssh said stands above.",
        f"See whether `ssh {there}` works, and on the server what `./tinyberth status` says.",
    )

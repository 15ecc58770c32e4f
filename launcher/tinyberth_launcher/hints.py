"""From the last lines of a failed command to what they mean and what to do: a pure table."""

from __future__ import annotations

import re

# (pattern, what it means, what to do); the first that matches wins, so specific ones first.
_HINTS = (
    (
        r"No space left on device|ENOSPC",
        "The disk is full.",
        "Free space where the engine keeps its files (`docker system df` shows what it holds), "
        "then run the same command again.",
    ),
    (
        r"dpkg was interrupted",
        "An earlier package installation was cut short.",
        "Run `dpkg --configure -a` as root, then the same command again.",
    ),
    (
        r"Could not get lock|Unable to acquire the dpkg frontend lock",
        "Another package manager is running on this machine.",
        "Wait until it is done, then run the same command again.",
    ),
    (
        r"NO_PUBKEY|is not signed|EXPKEYSIG",
        "This machine does not know the key that signs Debian's packages.",
        "Run `apt-get update && apt-get install debian-archive-keyring` as root, then again.",
    ),
    (
        r"certificate signed by unknown authority|CERTIFICATE_VERIFY_FAILED|UnknownIssuer"
        r"|unable to get local issuer|self[- ]signed certificate",
        "A TLS certificate was not trusted: often a network that inspects TLS.",
        "Set HOST_CA_BUNDLE in .env to the file with this network's CA certificates.",
    ),
    (
        r"hash(es)? (mismatch|do not match)|THESE PACKAGES DO NOT MATCH|EINTEGRITY",
        "A download was not what the lock file says: cut short, or changed on the way.",
        "Run the same command again; if it stays, report it.",
    ),
    (
        r"Could not resolve|Temporary failure (in name resolution|resolving)|no such host"
        r"|[Nn]ame or service not known|EAI_AGAIN|dns error",
        "A name could not be resolved: no network, or no DNS where the command ran.",
        "Check this machine's network, then run the same command again.",
    ),
    (
        r"Connection (refused|timed out|reset)|i/o timeout|TLS handshake timeout|ETIMEDOUT"
        r"|operation timed out",
        "A download server did not answer.",
        "Check this machine's network or proxy, then run the same command again.",
    ),
    (
        r"toomanyrequests",
        "The container registry allows no more downloads for now.",
        "Wait, or run `docker login`, then run the same command again.",
    ),
    (
        r"address already in use|EADDRINUSE",
        "Another program listens on the same address.",
        "Set another PORT in .env, or stop the other program.",
    ),
    (
        r"Pool overlaps|could not find an available.*address pool",
        "The engine has no network range left for another bridge.",
        "Remove unused networks with `docker network prune`, then run the same command again.",
    ),
    (
        r"network with name .* already exists|bridge name .* already|conflicts with network",
        "A bridge of that name belongs to another deployment.",
        "Set another BRIDGE_NAME in .env.",
    ),
    (
        r"iptables.*(not found|failed|Permission denied)",
        "The engine could not set up its firewall rules.",
        "Check that `iptables -L` works as root; install Debian's `iptables` if it is missing.",
    ),
    (
        r"permission denied.*docker\.sock",
        "This account may not use the engine.",
        "Run the same command with sudo.",
    ),
)


def hint_for(lines: list[str]) -> tuple[str, str]:
    """Return (meaning, remedy) for the output ``lines``, or two empty strings."""
    text = "\n".join(lines)
    for pattern, meaning, remedy in _HINTS:
        if re.search(pattern, text):
            return meaning, remedy
    return "", ""

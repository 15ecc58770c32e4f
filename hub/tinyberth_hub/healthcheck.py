"""Exit 0 if the hub answers on its socket; run by the engine with the standard library alone."""

import http.client
import socket
import sys

HUB_SOCKET = "/run/tinyberth/hub/hub.sock"  # compared with settings.py by tests/unit


def main() -> int:
    connection = http.client.HTTPConnection("localhost", timeout=4)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(4)
    connection.sock.connect(HUB_SOCKET)
    connection.request("GET", "/hub/health")
    return 0 if connection.getresponse().status == 200 else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        sys.exit(f"The hub does not answer on {HUB_SOCKET}: {error}")

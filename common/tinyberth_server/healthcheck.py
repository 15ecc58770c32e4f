"""Is the service on a socket healthy? Run by Debian's python3 with -IS: standard library only."""

import socket
import sys


def main(container_socket: str) -> int:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(4)
        connection.connect(container_socket)
        connection.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := connection.recv(4096):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    print(body.decode(errors="replace"))  # `docker inspect` shows it
    return 0 if head.split(b" ", 2)[1:2] == [b"200"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

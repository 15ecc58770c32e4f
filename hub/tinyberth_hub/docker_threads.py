"""Docker calls of several people at a time.

DockerSpawner sends those of all people through one thread, so that one container which takes its
ten seconds to stop keeps all others from starting. This is its documented seam: ``executor``.

docker-py's client may be shared by them: what it keeps between two calls is a pool of connections
(ten for each address, of urllib3, which locks it) and headers that nobody changes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from dockerspawner import DockerSpawner

THREADS = 4
"""More wait for the engine, which is busy then; fewer wait for one another."""

_executor = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")


class ThreadedSpawner(DockerSpawner):
    """Without it everything works as well, one call after the other."""

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Return the threads of all people's calls."""
        return _executor

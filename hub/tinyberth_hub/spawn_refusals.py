"""Why a server does not start, as one sentence for the person who waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from logging import Logger

from docker.errors import APIError, DockerException, ImageNotFound
from requests.exceptions import RequestException

from .firewall import FirewallError
from .refusals import ChangeRefusedError
from .warden_client import NOT_ANSWERING


class SpawnRefusedError(Exception):
    """A spawn cannot go on; JupyterHub shows ``jupyterhub_message`` on the page."""

    def __init__(self, message: str) -> None:
        self.jupyterhub_message = message
        super().__init__(message)


@contextmanager
def refusals_told(image: str, log: Logger) -> Iterator[None]:
    """Turn what ledger, firewall and warden refuse within the block into SpawnRefusedError."""
    try:
        yield
    except ChangeRefusedError as refusal:
        raise SpawnRefusedError(refusal.message) from None
    except FirewallError as refusal:
        log.error("%s", refusal)
        raise SpawnRefusedError(str(refusal)) from None
    except ImageNotFound:
        raise SpawnRefusedError(
            f"The image {image} is not on this host. (For the admin: "
            "./tinyberth up, or docker compose build singleuser, builds it.)"
        ) from None
    except APIError as refusal:
        raise SpawnRefusedError(
            f"Your container could not be started: {refusal.explanation or refusal}"
        ) from refusal
    except (DockerException, RequestException) as error:
        log.error("The warden does not answer (docker compose logs warden): %s", error)
        raise SpawnRefusedError(NOT_ANSWERING) from error

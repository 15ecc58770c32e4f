"""The exception for what is not done, whoever refuses it."""

from __future__ import annotations

from tornado.web import HTTPError


class ChangeRefusedError(HTTPError):
    """A change is refused; ``message`` is one sentence for a person, who and what and why.

    An HTTP error with that status, so that our handlers and JupyterHub's own answer with it and
    log it as one line.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        # JupyterHub shows this attribute of an exception on the spawn page and in its API.
        self.jupyterhub_message = message

    def __str__(self) -> str:
        return self.message

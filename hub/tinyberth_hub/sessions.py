"""End a person's sessions: every browser must sign in again.

What a browser holds are the hub's cookie and, for each server it opened, a token from the hub's
OAuth. Servers ask the hub about a token again every few seconds (singleuser's configuration says
how many). A connection that is open already, such as a kernel's websocket, is not looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable

from jupyterhub import orm
from jupyterhub.orm import new_token
from jupyterhub.user import User
from sqlalchemy.orm import Session

_OWN_CLIENT = "jupyterhub"
"""OAuth client of the tokens that people make by hand and that servers call the hub with."""


def end_sessions(user: User, *, keep: str | None = None) -> None:
    """End the browser sessions of ``user``; the one with the id ``keep`` stays at their servers.

    It still needs a new cookie for the hub itself: ``set_login_cookie``. Tokens that the person
    made for scripts, on the Token page, stay, as they do elsewhere when a password changes: that
    page lists and revokes them.
    """
    user.orm_user.cookie_id = new_token()
    for table in (orm.APIToken, orm.OAuthCode):
        mine = user.db.query(table).filter(table.user_id == user.id)
        by_browsers = mine.filter(table.client_id != _OWN_CLIENT).all()
        _delete(user.db, [row for row in by_browsers if not keep or row.session_id != keep])
    user.db.commit()


def revoke_everything(user: User) -> None:
    """End the sessions and revoke every token of ``user``, for good."""
    end_sessions(user)
    _delete(user.db, list(user.orm_user.api_tokens))
    user.db.commit()


def revoke_server_tokens(user: User, *, keep: str = "") -> None:
    """Revoke the tokens that the person's server called the hub with, but for the one ``keep``.

    JupyterHub names them so when it makes them, for each start.
    """
    kept = orm.APIToken.find(user.db, keep) if keep else None
    mine = user.db.query(orm.APIToken).filter(
        orm.APIToken.user_id == user.id,
        orm.APIToken.client_id == _OWN_CLIENT,
        orm.APIToken.note == f"Server at {user.base_url}",
    )
    _delete(user.db, [token for token in mine.all() if token is not kept])
    user.db.commit()


def valid_server_token(user: User, env: Iterable[str]) -> str | None:
    """Return the token in a server's environment that it calls the hub with, unless revoked."""
    for variable in env:
        name, _, token = variable.partition("=")
        if name == "JUPYTERHUB_API_TOKEN":
            row = orm.APIToken.find(user.db, token)
            return token if row and row.user is user.orm_user else None
    return None


def _delete(db: Session, rows: list[object]) -> None:
    # One by one, not by a bulk delete: the session then knows that they are gone.
    for row in rows:
        db.delete(row)

"""Which logins and numbers people may have, and the uids that our own services have."""

from tinyberth_common.names import NameRefusedError, check_login

from .errors import RefusedError, shown

ROOT_UID = 0
"""Of the warden and the ledger, who ask each other, and of the health checks."""
HUB_UID = HUB_GID = 10001
PROXY_UID = 10002
LOWEST_ID = 1000
"""Below are system accounts (login.defs(5), UID_MIN)."""
HIGHEST_ID = 2**31 - 2
"""Above, programs that use a signed int read a negative number, or -1, "no id"."""
RESERVED_IDS = (HUB_UID, PROXY_UID, 65534, 65535)  # the last two: nobody, and -1 in 16 bits


def checked_login(name: str) -> str:
    """Return ``name`` if it is a login; raise ``RefusedError`` otherwise."""
    try:
        return check_login(name)
    except NameRefusedError as refusal:
        raise RefusedError("bad_name", str(refusal)) from None


def checked_number(number: object, field: str) -> int:
    """Return ``number`` if a person may have it as uid or gid.

    Raises
    ------
    RefusedError
        ``bad_id``; JSON's true, "1000" and 1e3 are no numbers here.
    """
    if type(number) is not int or not LOWEST_ID <= number <= HIGHEST_ID or number in RESERVED_IDS:
        raise RefusedError(
            "bad_id",
            f"{field} {shown(str(number))} is refused: write a whole number from {LOWEST_ID} to "
            f"{HIGHEST_ID}, none of {', '.join(str(reserved) for reserved in RESERVED_IDS)}.",
        )
    return number

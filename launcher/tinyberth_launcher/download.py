"""One file over HTTP: with progress, and going on where an earlier try stopped."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from .problem import Problem
from .steps import Step

_CHUNK_BYTES = 256 * 1024
_TIMEOUT_SECONDS = 30.0
_TRIES = 4
"""In a row without a byte; a connection that breaks after some is simply taken up again."""


def format_bytes(count: float) -> str:
    """Return a size for people: ``20 bytes``, ``340 kB``, ``17.9 MB``, ``1.20 GB``."""
    if count < 1e3:
        return f"{count:.0f} bytes"
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.2f} GB"


def progress(done: int, total: int | None, seconds: float) -> str:
    """Return ``12.3 MB of 17.9 MB, 4.1 MB/s``."""
    of = f" of {format_bytes(total)}" if total else ""
    return f"{format_bytes(done)}{of}, {format_bytes(done / max(seconds, 0.001))}/s"


def download(
    step: Step, url: str, part: Path, *, headers: Mapping[str, str], host_ca_bundle: str
) -> None:
    """Fetch ``url`` into ``part``, taking up what an interrupted try left there.

    ``headers`` go to the host of ``url`` alone, never to one that it redirects to. Beside
    ``part`` lies a note of which edition of the file it is the beginning of.

    Raises
    ------
    urllib.error.HTTPError
        For an answer that is no file; what it means is the caller's to say.
    Problem
        If the host cannot be reached, the connection keeps breaking, or the bytes are not those
        that the server announced.
    """
    opener = _opener(host_ca_bundle)
    tries = 0
    while tries < _TRIES:
        before = _size(part)
        try:
            if _fetch(step, opener, url, part, headers):
                _note(part).unlink(missing_ok=True)
                return
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError as error:
            if before == 0 and _size(part) == 0:
                raise _offline(url, error.reason) from None
        except (OSError, http.client.HTTPException) as error:
            if not isinstance(error, (ConnectionError, TimeoutError, http.client.HTTPException)):
                raise  # the disk's fault, not the network's
        tries = 0 if _size(part) > before else tries + 1
        step.note("the connection broke; going on")
        time.sleep(min(2**tries, 8) / 4)
    raise Problem(
        f"The download of {url} keeps breaking off.",
        why=f"{format_bytes(_size(part))} are here and stay.",
        remedy="Run the same command again; it goes on where it stopped.",
    )


def _fetch(
    step: Step,
    opener: urllib.request.OpenerDirector,
    url: str,
    part: Path,
    headers: Mapping[str, str],
) -> bool:
    """Read one answer; return whether the file is whole now."""
    request = urllib.request.Request(url)  # noqa: S310 - https, or a test's own server
    for name, value in headers.items():
        request.add_unredirected_header(name, value)
    start, edition = _size(part), _edition(part)
    if start and edition:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", edition)
    try:
        answer = opener.open(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # the whole was here already, or the file is another one now
            raise
        part.unlink()
        return False
    with answer:
        resumed = answer.status == 206
        done = start if resumed else 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else None
        _remember(part, answer.headers.get("ETag"))
        began = time.monotonic()
        with part.open("ab" if resumed else "wb") as file:
            for chunk in iter(lambda: answer.read(_CHUNK_BYTES), b""):
                file.write(chunk)
                done += len(chunk)
                step.note(progress(done, total, time.monotonic() - began))
    if total is not None and done < total:
        return False
    _check_md5(part, answer.headers)
    return True


def _check_md5(part: Path, headers: Mapping[str, str]) -> None:
    """Compare with the storage's own checksum (``x-goog-hash: md5=…``), where it sends one."""
    for value in str(headers.get("x-goog-hash", "")).replace(" ", "").split(","):
        kind, _, announced = value.partition("=")
        if kind != "md5":
            continue
        with part.open("rb") as file:
            found = base64.b64encode(_digest(file, hashlib.md5())).decode()  # noqa: S324 - theirs
        if found != announced:
            part.unlink()
            raise Problem(
                "The download is not what the server announced: its checksum differs.",
                why="Bytes were lost or changed on the way. They were thrown away.",
                remedy="Run the same command again.",
            )


def _digest(file: IO[bytes], digest: Any) -> bytes:
    for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
        digest.update(chunk)
    return bytes(digest.digest())


def _opener(host_ca_bundle: str) -> urllib.request.OpenerDirector:
    context = ssl.create_default_context()
    if Path(host_ca_bundle).is_file():  # as for image builds: for networks that inspect TLS
        context.load_verify_locations(host_ca_bundle)
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))


def _offline(url: str, reason: object) -> Problem:
    host = url.split("/")[2]
    return Problem(f"{host} cannot be reached from here ({reason}), so nothing was fetched.")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".edition")


def _remember(part: Path, etag: str | None) -> None:
    # A weak tag names no bytes, and If-Range must not use it (RFC 9110, 13.1.5).
    if etag and not etag.startswith("W/"):
        _note(part).write_text(json.dumps(etag), encoding="utf-8")
    else:
        _note(part).unlink(missing_ok=True)


def _edition(part: Path) -> str:
    try:
        return str(json.loads(_note(part).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return ""

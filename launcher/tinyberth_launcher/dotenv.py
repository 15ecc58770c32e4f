"""Reads ``.env`` strictly: only lines that every program that reads it takes the same way.

Compose reads the file twice (for the compose file and for the services), we read it here;
quotes, spaces, ``$`` and a BOM mean different things to different readers, so they are
refused with a sentence instead of being guessed at (THREATS B5).
"""

from __future__ import annotations

import re

_NAME = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")
_BOM = "\ufeff"


def parse_env_file(content: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the variables in ``content`` and one sentence for each line that is wrong."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return {}, [".env is not UTF-8 text: save it as UTF-8 without a byte order mark."]
    variables: dict[str, str] = {}
    problems = []
    if text.startswith(_BOM):
        problems.append(".env begins with a byte order mark: save it as UTF-8 without BOM.")
        text = text[1:]
    if "\r" in text:
        problems.append(
            ".env has Windows line ends (CRLF): convert it with `sed -i 's/\\r$//' .env`."
        )
        text = text.replace("\r", "")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        fault = _fault(name, equals, value)
        if not fault and name in variables:
            fault = f"{name} is set a second time: keep one of the lines."
        if fault:
            problems.append(f".env line {number}: {fault}")
        else:
            variables[name] = value
    return variables, problems


def _fault(name: str, equals: str, value: str) -> str:
    """Return what is wrong with one line, or an empty string."""
    shown = ascii(name.strip()[:40])
    if not equals:
        return f"{shown} has no '=': write NAME=value, or '#' before a remark."
    if name != name.strip() or value != value.strip():
        return f"{shown} has a space around '=' or at the end: write NAME=value without."
    if not _NAME.match(name):
        return f"{shown} is not a variable's name: write NAME=value, without 'export'."
    if any(sign in value for sign in "'\"`$\\"):
        return f"{name} has a quote, '$' or '\\' in its value: write the value as it is, without."
    if " #" in value:
        return f"{name} has a remark behind its value: give the remark a line of its own."
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        return f"{name} has a control character in its value: remove it."
    return ""

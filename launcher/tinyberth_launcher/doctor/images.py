"""Images against the checkout that they are built from, and containers against the images."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any

from ..built_images import FOLDERS, Source, recorded_source, source_of
from .finding import Finding, fault, fine, note
from .patient import SERVICES, Patient

_UP = "./tinyberth up"


def look(patient: Patient) -> list[Finding]:
    names = {folder: patient.image(folder) for folder in FOLDERS}
    there = {}
    for image in patient.inspect(*names.values(), kind="image"):
        there.update(dict.fromkeys(image["RepoTags"] or [], image))
    images = {folder: there[name] for folder, name in names.items() if name in there}
    recorded = {
        folder: recorded_source(patient.checkout, names[folder], image["Id"])
        for folder, image in images.items()
    }
    sources = {folder: source_of(patient.checkout, folder) for folder in FOLDERS}
    found = [
        *judge_images(images, sources, recorded),
        *judge_services(images, patient.containers),
        *judge_servers(images, patient.user_containers),
    ]
    by_time = sum(source is None for source in recorded.values())
    how = f" ({by_time} of them judged by time)" if by_time else ""
    return found or [fine(f"all {len(images)} are built from this checkout{how}")]


def judge_images(
    images: Mapping[str, Mapping[str, Any]],
    sources: Mapping[str, Source],
    recorded: Mapping[str, str | None],
) -> list[Finding]:
    """Judge each image by the digest of what it was built from; without one, by times.

    The time is when it got its name, which each build gives it again; an image's own is that of
    the first build of the same.

    ``recorded`` are the digests that `up` wrote down when it built just these images.
    """
    found = []
    for folder, source in sources.items():
        if folder not in images:
            found.append(
                fault(
                    "image_missing",
                    f"there is no image of {folder}.",
                    why="It was never built, or removed.",
                    remedy=_UP,
                )
            )
            continue
        digest = recorded.get(folder)
        if digest == source.digest:
            continue
        built = _moment(str(images[folder]["Metadata"]["LastTagTime"]))
        if digest is None and built >= source.changed:
            continue
        how = "what it was built from has changed since"
        if digest is None:
            then = datetime.fromtimestamp(source.changed, timezone.utc)
            how = f"{source.newest} changed at {then:%Y-%m-%d %H:%M:%S} UTC, after it was built"
        found.append(
            fault(
                "image_old",
                f"the image of {folder} is older than the checkout: {how}.",
                why="What runs is not what you read here."
                + ("" if digest else " (Judged by time, for ./tinyberth up did not build it.)"),
                remedy=_UP,
            )
        )
    return found


def judge_services(
    images: Mapping[str, Mapping[str, Any]], containers: Mapping[str, Mapping[str, Any]]
) -> list[Finding]:
    """Name the services that run another image than the one that is there now."""
    return [
        fault(
            "service_old",
            f"{service} runs an older image than the one that is built.",
            why="It was built since, and the service was not started anew.",
            remedy=f"{_UP}; people's servers go on meanwhile",
        )
        for service in SERVICES
        if service in containers
        and service in images
        and containers[service]["Image"] != images[service]["Id"]
    ]


def judge_servers(
    images: Mapping[str, Mapping[str, Any]], containers: Collection[Mapping[str, Any]]
) -> list[Finding]:
    """Name the people whose servers are of an older image."""
    if "singleuser" not in images:
        return []
    old = sorted(
        str(one["Config"]["Labels"].get("tinyberth.login"))
        for one in containers
        if one["State"]["Running"] and one["Image"] != images["singleuser"]["Id"]
    )
    if not old:
        return []
    return [
        note(
            "servers_old",
            f"the servers of {', '.join(old)} are of an older image.",
            why="They go on; their next start takes the present one.",
            remedy=f"When it suits them: ./tinyberth user stop {' '.join(old)}",
        )
    ]


def _moment(text: str) -> float:
    """Return a time of the engine's, to the second."""
    whole = datetime.strptime(text[:19].replace("T", " "), "%Y-%m-%d %H:%M:%S")
    return whole.replace(tzinfo=timezone.utc).timestamp()

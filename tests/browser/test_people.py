"""The People page in a real browser, on a real deployment: everything an admin does with it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from people_page import LINK, PeoplePage
from playwright.sync_api import Browser, Page, expect

from deployment import PASSWORD, Deployment, Person, first_link, wait_until

OpenBrowser = Callable[[], Page]


@pytest.fixture(scope="module")
def admins_cookies(browser: Browser, deployment: Deployment) -> list[dict[str, object]]:
    """Return what a browser keeps of the admin who opened the link; signed in once for all."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(first_link(deployment.tinyberth("user", "link", "admin").stdout))
    choose_password(page)
    # The first link of an admin leads to where people are added.
    page.wait_for_url("**/hub/people")
    cookies = context.cookies()
    context.close()
    return [dict(cookie) for cookie in cookies]


@pytest.fixture
def people(
    open_browser: OpenBrowser, deployment: Deployment, admins_cookies: list[dict[str, object]]
) -> PeoplePage:
    """Return the page as the admin sees it, with everybody on it."""
    page = open_browser()
    page.context.add_cookies(admins_cookies)  # type: ignore[arg-type]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{deployment.url}/hub/people")
    found = PeoplePage(page)
    expect(found.row("admin")).to_be_visible()
    return found


def choose_password(page: Page) -> None:
    page.get_by_label("New password:").fill(PASSWORD)
    page.get_by_role("button", name="Set password and go in").click()


def opens(page: Page, link: str) -> bool:
    """Tell whether a one-time link lets somebody choose a password."""
    page.goto(link)
    page.locator("#welcome-form").get_by_role("alert").or_(
        page.get_by_label("New password:")
    ).wait_for()
    return page.get_by_label("New password:").is_visible()


def test_names_get_accounts_and_links_and_one_link_is_opened_and_used(
    people: PeoplePage, open_browser: OpenBrowser, deployment: Deployment, screenshots: Path
) -> None:
    people.preview_names("nadia, Olaf\nadmin")
    outcomes = people.outcomes()
    assert [*outcomes] == ["nadia", "olaf", "admin"]
    assert [outcome.split()[0] for outcome in outcomes.values()] == ["new", "new", "exists"]
    listed = deployment.tinyberth("user", "list").stdout
    assert "nadia" not in listed, "a preview does nothing"

    people.press("Add 2 people")
    nadia, olaf = people.links
    assert LINK.fullmatch(nadia)
    assert LINK.fullmatch(olaf)
    expect(people.dialog).to_contain_text("These links are shown only now")
    people.page.screenshot(path=screenshots / "people-links.png")
    people.dialog.get_by_role("button", name="Copy the link of nadia").click()
    expect(
        people.dialog.get_by_role("button", name="Copied: Copy the link of nadia")
    ).to_be_visible()
    assert people.clipboard() == nadia
    people.press("Copy all as CSV")
    expect(people.dialog.get_by_role("button", name="Copied", exact=True)).to_be_visible()
    csv = f"name,login,link\r\nnadia,nadia,{nadia}\r\nolaf,olaf,{olaf}\r\n"
    assert people.clipboard().replace("\r\n", "\n") == csv.replace("\r\n", "\n")
    with people.page.expect_download() as download:
        people.press("Download CSV")
    assert download.value.path().read_bytes().decode("utf-8-sig") == csv
    people.press("Done")
    expect(people.row("nadia")).to_contain_text("invited")

    theirs = open_browser()
    assert opens(theirs, nadia)
    choose_password(theirs)
    theirs.wait_for_url("**/hub/spawn-pending/nadia")
    expect(people.row("nadia")).to_contain_text(
        "active", timeout=20_000
    )  # it looks again by itself
    assert deployment.home("nadia").stat().st_uid == person(people, "nadia")["uid"]


REFUSED_NAMES = [  # THREATS B1, B2; without those that have a space or a comma
    *["..", "%2e%2e", "a/b", "a\\b", "-rf", "$(id)", "a:b", "{username}", "root", "hub"],
    *[
        "x" * 300,
        "\u212aim",
        "\uff41lice",
        "jose\u0301",
        "jos\u00e9",
        "<img/src=x/onerror=alert(1)>",
    ],
]


def test_names_that_cannot_be_are_refused_one_by_one_and_spoil_no_other(
    people: PeoplePage,
) -> None:
    people.preview_names(" ".join([*REFUSED_NAMES, "petra", "PETRA"]))
    outcomes = people.outcomes()
    # Two spellings of one login are one person: the second is refused.
    assert outcomes["petra"].startswith(("new", "refused"))
    for name in REFUSED_NAMES:
        told = next(why for shown, why in outcomes.items() if name.startswith(shown.rstrip("…")))
        assert re.match(r"refused\S* ?'?.*[a-z].*\.", told), (name, told)
    people.dialog.get_by_role("button", name="Add 1 person").click()
    assert len(people.links) == 1
    people.press("Done")
    # Nor by the API itself, which the page is only a face of.
    for name in [*REFUSED_NAMES, "a\n", "a\x00", " ", ""]:
        status, answer = people.ask("POST", "people", {"name": name})
        assert (status, bool(answer["message"])) == (400, True), name
        assert len(answer["message"]) < 300


CSV = """\ufeffname,uid,gid,teams,admin\r
pia,23901,23901,nlp vision,\r
quentin,,,"nlp;vision",no\r
\r
root,,,,\r
rita,0,,,\r
rolf,23901,,,\r
pia,,,,\r
sven,,,,perhaps\r
admin,,,,\r
"""


def test_csv_is_judged_line_by_line_before_anything_is_done(
    people: PeoplePage, deployment: Deployment, screenshots: Path, tmp_path: Path
) -> None:
    people.preview_csv(CSV)
    rows = people.dialog.locator("#preview-table tbody tr")
    expect(rows).to_have_count(8)
    expect(people.dialog.locator("#preview-summary")).to_have_text(
        "8 lines: 2 new, 1 here already, 5 refused"
    )
    for text in ["23901:23901", "nlp (new), vision (new)", "next free", "perhaps"]:
        expect(people.dialog.locator("#preview-table")).to_contain_text(text)
    people.page.screenshot(path=screenshots / "people-import.png")
    people.press("Back")
    file = tmp_path / "class.csv"
    file.write_text(CSV, encoding="utf-8", newline="")
    people.dialog.get_by_role("textbox", name="CSV", exact=True).fill("")
    people.dialog.get_by_label("CSV file").set_input_files(file)
    expect(people.dialog.get_by_role("textbox", name="CSV", exact=True)).to_have_value(
        re.compile("quentin")
    )
    people.press("Preview")
    people.press("Add 2 people")
    assert len(people.links) == 2
    people.press("Done")
    expect(people.row("pia")).to_contain_text("23901:23901")
    expect(people.row("pia")).to_contain_text("nlp, vision")
    assert deployment.home("pia").stat().st_uid == 23901
    assert person(people, "quentin")["teams"] == ["nlp", "vision"]


def test_a_file_that_is_dropped_and_one_of_excels(people: PeoplePage) -> None:
    people.page.get_by_role("button", name="Add people").click()
    # Windows' Excel saves CSV in its own code page: é is not UTF-8 there.
    drop = """([dialog, bytes]) => {
        const files = new DataTransfer();
        files.items.add(new File([new Uint8Array(bytes)], "people.csv"));
        dialog.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true}));
    }"""
    content = list("name\r\ntina\r\nrené\r\n".encode("windows-1252"))
    people.page.evaluate(drop, [people.dialog.element_handle(), content])
    field = people.dialog.get_by_role("textbox", name="CSV", exact=True)
    expect(field).to_have_value("name\ntina\nrené\n")
    people.press("Preview")
    outcomes = people.outcomes()
    assert outcomes["tina"].startswith("new")
    assert "refused" in outcomes["rené"]


def test_a_new_link_kills_the_old_one(people: PeoplePage, open_browser: OpenBrowser) -> None:
    (old,) = people.add("ursel")
    people.choose("ursel", "New link…")
    expect(people.dialog).to_contain_text("A link made before stops working at once.")
    people.press("Make a new link")
    (new,) = people.links
    people.dialog.press("Escape")
    expect(people.dialog).to_be_visible()  # links are closed by their button, never by accident
    people.press("Done")
    theirs = open_browser()
    assert not opens(theirs, old)
    expect(theirs.get_by_role("alert")).to_contain_text("replaced by a newer one")
    assert opens(theirs, new)


def test_an_admin_is_made_and_unmade(
    people: PeoplePage, open_browser: OpenBrowser, deployment: Deployment
) -> None:
    deployment.add("valda")
    theirs = open_browser()
    sign_in(theirs, deployment, "valda", then="/hub/home")
    expect(theirs.get_by_role("link", name="People")).to_have_count(0)
    answer = theirs.goto(f"{deployment.url}/hub/people")
    assert answer is not None
    assert answer.status == 403
    expect(theirs.get_by_role("navigation")).to_be_visible()
    expect(theirs.get_by_role("heading", name="403 : Forbidden")).to_be_visible()
    expect(theirs.get_by_text("Only admins see who is here")).to_be_visible()

    expect(people.row("valda")).to_be_visible(timeout=20_000)
    people.choose("valda", "Make admin…")
    people.press("Make admin")
    people.told("valda is an admin.")
    expect(people.row("valda").get_by_text("admin", exact=True)).to_be_visible()
    theirs.goto(f"{deployment.url}/hub/home")
    theirs.get_by_role("link", name="People").click()
    expect(PeoplePage(theirs).row("valda")).to_be_visible()
    people.choose("valda", "Unmake admin…")
    people.press("Unmake admin")
    people.told("valda is no admin any more.")
    expect(theirs.locator("#unreachable")).to_contain_text("Only admins")


def test_the_last_admin_stays(people: PeoplePage) -> None:
    menu = people.menu("admin")
    for entry in ["Unmake admin…", "Remove…"]:
        expect(menu.get_by_role("button", name=entry)).to_be_disabled()
        expect(menu.get_by_role("button", name=entry)).to_contain_text("The last admin")
    # The page is not what protects: the hub refuses too, and the page shows its sentence.
    status, answer = people.ask("PATCH", "people/admin", {"admin": False})
    assert status == 409
    people.pretend(lambda answer: with_each(answer, admin=True))
    people.choose("admin", "Unmake admin…")
    people.press("Unmake admin")
    expect(people.dialog.get_by_role("alert")).to_have_text(answer["message"])
    people.press("Cancel")
    status, answer = people.ask("DELETE", "people/admin")
    assert (status, bool(answer["message"])) == (409, True)


def with_each(answer: dict[str, Any], **changed: object) -> dict[str, Any]:
    return {**answer, "people": [{**each, **changed} for each in answer["people"]]}


def test_teams_are_made_joined_and_left_with_a_restart(
    people: PeoplePage, deployment: Deployment, screenshots: Path
) -> None:
    deployment.with_server("wanda")
    expect(people.row("wanda")).to_contain_text(" of ")  # memory and its limit
    people.choose("wanda", "Teams…")
    people.dialog.get_by_role("textbox", name="Name of a new team").fill("Speech!")
    people.press("Make team")
    expect(people.dialog.get_by_role("alert").filter(has_text="Speech!")).to_be_visible()
    people.dialog.get_by_role("textbox", name="Name of a new team").fill("speech")
    people.dialog.get_by_role("textbox", name="Name of a new team").press("Enter")
    expect(people.dialog.get_by_role("checkbox", name="speech")).to_be_checked()
    people.press("Save")
    expect(people.dialog).to_contain_text("Restart to join")
    people.press("Stop the server now")
    people.told("Stopped: wanda.")
    assert not deployment.people["wanda"].server()
    deployment.people["wanda"].start_server()
    assert "speech" in deployment.as_user("wanda", "id -Gn").stdout.split()
    deployment.as_user("wanda", "touch /teams/speech/hers")
    gid = next(
        team["gid"] for team in people.ask("GET", "teams")[1]["teams"] if team["name"] == "speech"
    )
    assert (deployment.host_data_dir / "teams" / "speech" / "hers").stat().st_gid == gid

    people.ask("POST", "people/admin/stop")  # else the page offers it: another file may start it
    people.page.get_by_role("tab", name="Teams").click()
    people.page.get_by_role("textbox", name="Name of a new team").fill("vision-lab")
    people.page.get_by_role("button", name="Make team").click()
    people.told("The team vision-lab is made.")
    people.page.get_by_role("button", name="Members of vision-lab").click()
    people.dialog.get_by_role("searchbox").fill("adm")
    expect(people.dialog.get_by_role("checkbox", name="wanda")).to_be_hidden()
    people.dialog.get_by_role("checkbox", name="admin").check()
    people.press("Save")
    people.told("vision-lab has 1 member.")
    people.page.screenshot(path=screenshots / "teams.png")
    people.page.get_by_role("button", name="Remove speech").click()
    expect(people.dialog).to_contain_text("data/archive/speech~N")
    people.press("Remove team")
    people.told(re.compile(r"speech is removed; its files are in data/archive/speech~\d"))
    expect(people.page.locator("[data-team=speech]")).to_have_count(0)
    people.page.get_by_role("tab", name="Everybody").click()
    expect(people.row("wanda")).to_contain_text("restart for teams")


def test_a_running_server_is_stopped_and_renaming_keeps_uid_and_files(
    people: PeoplePage, deployment: Deployment, screenshots: Path
) -> None:
    deployment.with_server("xena")
    deployment.as_user("xena", "echo mine > kept.txt")
    before = (deployment.home("xena") / "kept.txt").stat()
    expect(people.row("xena")).to_contain_text(" of ")
    people.page.screenshot(path=screenshots / "people.png")
    people.choose("xena", "Stop server…")
    people.press("Stop server")
    people.told("The server of xena is stopped.")
    assert deployment.docker("inspect", deployment.container("xena"), check=False).returncode != 0
    assert not deployment.people["xena"].server()

    deployment.people["xena"].start_server()
    expect(people.row("xena")).to_contain_text(" of ")
    people.choose("xena", "Rename…")
    expect(people.dialog).to_contain_text("/home/xena/…")
    people.dialog.get_by_label("New login").fill("admin")
    people.press("Stop the server and rename")
    expect(people.dialog.get_by_role("alert")).to_contain_text("admin is here already")
    assert deployment.people["xena"].server(), "a name that is taken costs nobody a server"
    people.dialog.get_by_label("New login").fill("xenia")
    people.press("Stop the server and rename")
    people.told("xena is now xenia, with the same uid and files.")
    expect(people.row("xena")).to_have_count(0)
    expect(people.row("xenia")).to_contain_text(f"{before.st_uid}:")
    after = (deployment.home("xenia") / "kept.txt").stat()
    assert (after.st_ino, after.st_uid) == (before.st_ino, before.st_uid)
    assert not deployment.home("xena").exists()
    assert Person(deployment.url, "xenia").sign_in().status_code == 302


def test_who_is_removed_is_asked_about_once_and_can_be_brought_back(
    people: PeoplePage, deployment: Deployment
) -> None:
    yuri = deployment.with_server("yuri")
    deployment.as_user("yuri", "echo mine > kept.txt")
    before = (deployment.home("yuri") / "kept.txt").stat()
    expect(people.row("yuri")).to_contain_text(" of ")
    people.choose("yuri", "Remove…")
    for text in ["server is stopped", "data/users/yuri", "data/archive/yuri~N", "You can bring"]:
        expect(people.dialog).to_contain_text(text)
    people.press("Cancel")
    assert deployment.home("yuri").exists()
    people.choose("yuri", "Remove…")
    people.press("Remove")
    people.told("yuri is removed; the files are in data/archive/yuri~1.")
    expect(people.row("yuri")).to_have_count(0)
    assert yuri.api("GET", "/users/yuri").status_code == 403
    archived = deployment.host_data_dir / "archive" / "yuri~1" / "kept.txt"
    assert archived.stat().st_ino == before.st_ino

    (somebody_new,) = people.add("yuri")
    people.show_state("removed")
    people.choose("yuri~1", "Restore…")
    people.press("Restore")
    expect(people.dialog.get_by_role("alert")).to_contain_text("another")
    people.dialog.get_by_label("Login").fill("yuri-once")
    people.press("Restore")
    (link,) = people.links
    people.press("Done")
    people.show_state("here")
    expect(people.row("yuri-once")).to_contain_text(f"{before.st_uid}:")
    after = (deployment.home("yuri-once") / "kept.txt").stat()
    assert (after.st_ino, after.st_uid) == (before.st_ino, before.st_uid)
    assert Person(deployment.url, "yuri-once").open_link(link).status_code == 302
    assert somebody_new != link


def test_the_table_sorts_and_filters_and_looks_again_without_losing_what_one_does(
    people: PeoplePage,
) -> None:
    people.add("zara zeno zoe")
    expect(people.row("zoe")).to_be_visible()
    people.filter("z")
    column = people.page.locator("th[data-column=uid]")
    column.get_by_role("button").click()
    expect(column).to_have_attribute("aria-sort", "ascending")
    uids = [person(people, login)["uid"] for login in people.shown]
    assert uids == sorted(uids)
    column.get_by_role("button").click()
    expect(column).to_have_attribute("aria-sort", "descending")
    assert [person(people, login)["uid"] for login in people.shown] == uids[::-1]
    people.filter("zara invited")
    assert people.shown == ["zara"]
    people.show_state("active")
    expect(people.page.get_by_text("Nobody like that.")).to_be_visible()
    people.page.get_by_role("button", name="Show everybody").click()
    people.filter("z")
    people.page.get_by_role("checkbox", name="Select zeno").check()
    button = people.row("zoe").get_by_role("button")
    button.focus()
    with people.page.expect_response("**/api/tinyberth/people"):
        pass
    expect(button).to_be_focused()
    expect(people.page.get_by_role("checkbox", name="Select zeno")).to_be_checked()
    expect(people.page.get_by_text("1 selected")).to_be_visible()
    assert "admin" not in people.shown
    people.page.get_by_role("button", name="New links…").click()
    people.press("Make new links")
    assert len(people.links) == 1
    people.press("Done")


def test_it_is_used_by_keyboard_alone(people: PeoplePage) -> None:
    page = people.page
    expect(page.get_by_role("searchbox", name="Filter", exact=True)).to_be_focused()
    button = people.row("admin").get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="New link…")).to_be_focused()
    page.keyboard.press("Enter")
    expect(people.dialog).to_be_visible()
    expect(page.get_by_role("button", name="Make a new link")).to_be_focused()
    page.keyboard.press("Escape")
    expect(people.dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_what_people_are_called_is_text_and_never_markup(people: PeoplePage) -> None:
    name = (
        "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
    )

    people.pretend(lambda answer: with_each(answer, name=name, teams=[name]))
    expect(people.row("admin").get_by_role("rowheader")).to_have_text(name)
    for entry in ["New link…", "Rename…", "Teams…"]:
        people.choose("admin", entry)
        people.press("Cancel")
    assert people.page.locator("main img, .modal img, main script").count() == 0
    assert people.page.title().strip() == "People"


def test_where_people_sign_in_elsewhere_there_are_no_links(people: PeoplePage) -> None:
    people.pretend(lambda answer: {**answer, "auth": "oidc"})
    menu = people.menu("admin")
    expect(menu.get_by_role("button", name="Rename…")).to_be_visible()
    expect(menu.get_by_role("button", name="New link…")).to_have_count(0)


def test_a_lost_network_is_told_and_mended_and_a_lost_session_leads_to_the_login(
    people: PeoplePage,
) -> None:
    problem = people.page.locator("#unreachable")
    people.page.context.set_offline(True)
    people.choose("admin", "Teams…")
    people.press("Save")
    expect(people.dialog.get_by_text("The hub does not answer")).to_be_visible()
    people.press("Cancel")
    expect(problem).to_contain_text("The hub does not answer")
    people.page.context.set_offline(False)
    expect(problem).to_be_hidden(timeout=20_000)
    people.page.context.clear_cookies()
    people.page.wait_for_url("**/hub/login?next=*people")


def test_500_people_are_imported_with_a_progress_bar_also_after_a_break(
    people: PeoplePage, deployment: Deployment, out: Path
) -> None:
    people.preview_csv(
        "name,teams\n" + "\n".join(f"many{number:03},crowd" for number in range(500))
    )
    people.press("Add 500 people")
    bar = people.dialog.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuemax", "500")
    wait_until(lambda: int(bar.get_attribute("aria-valuenow") or 0) >= 20, "20 people are added")
    people.press("Cancel")
    expect(people.dialog.locator("#import-outcome")).to_have_text(
        re.compile(r"\d+ people added, \d+ not tried\."), timeout=60_000
    )
    begun = len(people.links)
    assert 20 <= begun < 500
    people.press("Preview again")
    expect(people.dialog.locator("#preview-summary")).to_contain_text(f"{begun} here already")
    people.dialog.get_by_label("Also make new links").check()
    began = time.monotonic()
    people.press("Add, and make links")
    outcome = people.dialog.locator("#import-outcome")
    expect(outcome).to_have_text(f"{500 - begun} people added.", timeout=600_000)
    seconds = time.monotonic() - began
    assert len(people.links) == len(set(people.links)) == 500
    people.press("Done")

    people.page.reload()
    people.filter("many")
    expect(people.page.locator("#shown")).to_have_text("500 people")
    uids = {each["uid"] for each in people.ask("GET", "people")[1]["people"]}
    assert len(uids) >= 500
    assert len(list((deployment.host_data_dir / "users").glob("many*"))) == 500
    # Figures for docs/benchmarks.md; no test depends on how busy the machine is.
    figures = {"added_seconds": seconds, "added": 500 - begun, **measured(people.page)}
    (out / "people_500.json").write_text(json.dumps(figures, indent=1))


def measured(page: Page) -> dict[str, float]:
    """Return the times that the page itself took with everybody on it, in milliseconds."""
    page.reload()
    expect(page.locator("#people-table tbody tr").nth(500)).to_be_attached()
    figures: dict[str, float] = page.evaluate("""() => {
        const [draw] = performance.getEntriesByName("draw people");
        const resources = performance.getEntriesByType("resource");
        const list = resources.find(it => it.name.endsWith("/api/tinyberth/people"));
        const filter = document.querySelector("#filter");
        const fill = text => {
            const began = performance.now();
            filter.value = text;
            filter.dispatchEvent(new Event("input"));
            document.body.getBoundingClientRect();  // with the layout
            return performance.now() - began;
        };
        return {
            list_ms: list.duration,
            draw_ms: draw.duration,
            drawn_at_ms: draw.startTime + draw.duration,
            filter_to_few_ms: fill("many00"),
            back_to_all_ms: fill(""),
        };
    }""")
    return figures


def person(people: PeoplePage, login: str) -> dict[str, object]:
    status, answer = people.ask("GET", f"people/{login}")
    assert status == 200
    return dict(answer)


def sign_in(page: Page, deployment: Deployment, name: str, then: str) -> None:
    page.goto(f"{deployment.url}/hub/login?next={then}")
    page.get_by_label("Username:").fill(name)
    page.get_by_label("Password:").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{then}")

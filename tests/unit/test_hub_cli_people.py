"""`tinyberth-hub user …` and `team …`: what is asked of the hub's API, and what is printed."""

from __future__ import annotations

import json
import re

import pytest
from hub_cli import Cli

EVIL = [
    "..", ".", "a/b", "a\\b", "-rf", "$(id)", "a:b", "{username}", "a\nb", "a\x00b", "x" * 300,
    " ", "", "\udcff", "José", "alice~", "alice~x", "../people/alice", "alice?x=1",
]  # fmt: skip


def test_add_prints_ids_and_the_link(tb: Cli) -> None:
    answer = tb("user", "add", "alice", "--uid", "1005", "--team", "nlp", "vision", "--admin")
    assert answer.code == 0
    assert answer.out == (
        "alice (uid 1005, gid 20001), one-time link:\n  http://hub.localhost/hub/welcome#alice\n"
    )
    assert tb.hub.asked == [
        (
            "POST",
            "/hub/api/tinyberth/people",
            {"name": "alice", "uid": 1005, "teams": ["nlp", "vision"], "admin": True},
        )
    ]


def test_one_refusal_does_not_spoil_the_others(tb: Cli) -> None:
    answer = tb("user", "add", "alice", "a b", "bob")
    assert answer.code == 1
    assert list(tb.hub.people) == ["alice", "bob"]
    assert answer.err.count("\n") == 1
    assert "cannot be a login name" in answer.err


def test_json_has_one_document_of_what_was_done_and_a_line_for_each_refusal(tb: Cli) -> None:
    answer = tb("user", "add", "alice", "a b", "--json")
    assert answer.code == 1
    (alice,) = answer.json["people"]
    assert (alice["login"], alice["link"]) == ("alice", "http://hub.localhost/hub/welcome#alice")
    refusal = json.loads(answer.err)
    assert (refusal["name"], refusal["status"]) == ("a b", 400)


def test_one_link_is_printed_alone_and_several_as_csv(tb: Cli) -> None:
    tb.hub.put("alice")
    tb.hub.put("bob", state="active")
    link = "http://hub.localhost/hub/welcome#"
    assert tb("user", "link", "ALICE").out == f"{link}alice\n"
    assert (
        tb("user", "link", "alice", "bob").out == f"name,link\nalice,{link}alice\nbob,{link}bob\n"
    )
    assert tb("user", "link", "bob", "--if-invited").out == ""
    document = tb("user", "link", "alice", "bob", "--if-invited", "--json").json
    assert [entry["link"] for entry in document["links"]] == [f"{link}alice", None]


def test_where_people_sign_in_elsewhere_there_are_no_links(tb: Cli) -> None:
    tb.hub.has_links = False
    added = tb("user", "add", "alice")
    assert (added.code, added.out) == (
        0,
        "alice (uid 20001, gid 20001); there is no link, for people sign in elsewhere\n",
    )
    assert tb("user", "link", "alice").err == "There are no one-time links.\n"
    assert tb("user", "link", "alice", "--if-invited").code == 0


def test_the_list_shows_everybody_who_is_there(tb: Cli) -> None:
    tb.hub.put("bob", state="active", disk=310 * 2**20, teams=["nlp", "vision"], admin=True,
               server={"since": "2020-01-01T00:00:00Z", "parked_since": None, "memory": 2**30,
                       "memory_limit": None, "teams_changed": True})  # fmt: skip
    tb.hub.put("alice", server={"since": None, "parked_since": "2020-01-01T00:00:00Z",
               "memory": 2**27, "memory_limit": None, "teams_changed": False})  # fmt: skip
    tb.hub.put("carl", state="removed", archive="carl~1")
    heads, alice, bob = tb("user", "list").out.splitlines()
    assert heads.split("  ")[0].strip() == "LOGIN"
    assert "NAME" not in heads
    assert alice.split()[:3] == ["alice", "20002:20002", "invited"]
    assert re.search(r"parked \d+ days, 128M +-$", alice)
    assert bob.startswith("bob    20001:20001  active   admin  nlp,vision  310M  ")
    assert " days, 1.0G, restart for teams  -" in bob
    every = tb("user", "list", "--all").out.splitlines()
    assert every[-1].startswith("carl~1  20003:20003  removed")


def test_names_from_elsewhere_get_a_column_and_cannot_harm(tb: Cli) -> None:
    tb.hub.put("jose-garcia", name="José.García@uni.example\x1b[2J")
    heads, line = tb("user", "list").out.splitlines()
    assert heads.split()[:2] == ["LOGIN", "NAME"]
    assert line.split()[:2] == ["jose-garcia", "José.García@uni.example\ufffd[2J"]


def test_a_person_is_also_found_by_that_name(tb: Cli) -> None:
    tb.hub.put("jose-garcia", name="José/García?x#1%2F@uni.example")
    shown = tb("user", "show", "José/García?x#1%2F@uni.example")
    assert shown.out.startswith("jose-garcia\n")


def test_list_and_show_as_json_are_the_apis_own_fields(tb: Cli) -> None:
    tb.hub.put("alice")
    tb.hub.put("carl", state="removed", archive="carl~1")
    assert tb("user", "list", "--json").json == {
        "people": [tb.hub.people["alice"]], "measured_at": None, "auth": "local",
    }  # fmt: skip
    assert len(tb("user", "list", "--all", "--json").json["people"]) == 2
    assert tb("user", "show", "carl~1", "--json").json == tb.hub.people["carl~1"]


def test_show_tells_where_the_files_are(tb: Cli) -> None:
    tb.hub.put("alice", disk=1024, teams=["nlp"])
    tb.hub.put("carl", state="removed", archive="carl~1")
    shown = tb("user", "show", "alice").out
    assert "data/users/alice, 1.0K" in shown
    assert "20001:20001" in shown
    assert "data/archive/carl~1" in tb("user", "show", "carl~1").out


def test_admins_are_made_and_unmade(tb: Cli) -> None:
    tb.hub.put("alice")
    assert tb("user", "admin", "alice").out == "alice is an admin now.\n"
    assert tb.hub.people["alice"]["admin"]
    assert tb("user", "admin", "alice", "--off").out == "alice is no admin now.\n"
    assert not tb.hub.people["alice"]["admin"]


def test_teams_are_joined_and_left_in_one_step(tb: Cli) -> None:
    server = {
        "since": None,
        "parked_since": None,
        "memory": None,
        "memory_limit": None,
        "teams_changed": True,
    }
    tb.hub.put("alice", teams=["old", "nlp"], server=server)
    answer = tb("user", "team", "alice", "--join", "vision", "nlp", "--leave", "old")
    assert tb.hub.people["alice"]["teams"] == ["nlp", "vision"]
    assert answer.out.startswith("alice is in nlp, vision.\n")
    assert "after its next start" in answer.out
    assert tb("user", "team", "alice").code == 2
    assert tb("user", "team", "alice", "--join", "nlp", "--leave", "nlp").code == 2


def test_rename_and_stop(tb: Cli) -> None:
    tb.hub.put("alice")
    assert "alice is alicia now, with uid 20001" in tb("user", "rename", "alice", "alicia").out
    assert tb("user", "stop", "alicia", "nobody-here").code == 1
    assert tb.hub.asked[-2][1] == "/hub/api/tinyberth/people/alicia/stop"


def test_park(tb: Cli) -> None:
    tb.hub.put("alice", server={"parked_since": None})
    parked = tb("user", "park", "alice", "nobody-here")
    assert (parked.code, parked.out) == (1, "alice's server is parked.\n")
    assert "nobody-here" in parked.err
    (person,) = tb("user", "park", "alice", "--json").json["people"]
    assert person["server"]["parked_since"]


def test_remove_wants_yes_where_nobody_can_be_asked(tb: Cli) -> None:
    tb.hub.put("alice")
    refused = tb("user", "remove", "alice")
    assert refused.code == 2
    assert "say --yes" in refused.err
    assert tb.hub.asked == []
    removed = tb("user", "remove", "alice", "--yes")
    assert (removed.code, removed.out) == (
        0,
        "alice is removed; the files are in data/archive/alice~1.\n",
    )


def test_remove_as_json_names_the_archive(tb: Cli) -> None:
    tb.hub.put("alice")
    assert tb("user", "remove", "alice", "--yes", "--json").json == {
        "removed": [{"login": "alice", "archive": "alice~1", "home": "data/archive/alice~1"}]
    }


def test_restore_takes_the_only_one_of_that_name(tb: Cli) -> None:
    tb.hub.put("alice", state="removed", archive="alice~1")
    answer = tb("user", "restore", "alice")
    assert answer.out.startswith("alice is back (uid 20001, gid 20001), one-time link:\n")
    assert "alice" in tb.hub.people


def test_restore_asks_which_of_several(tb: Cli) -> None:
    tb.hub.put("alice", state="removed", archive="alice~1")
    tb.hub.put("alice", state="removed", archive="alice~2")
    refused = tb("user", "restore", "alice")
    assert refused.code == 1
    assert "such as alice~1" in refused.err
    assert "alice~2" in refused.err
    assert json.loads(tb("user", "restore", "alice", "--json").err)["archives"] == [
        "alice~1",
        "alice~2",
    ]
    assert tb("user", "restore", "alice~2", "--as", "alicia").code == 0
    assert tb.hub.people["alicia"]["uid"] == 20002
    assert tb("user", "restore", "bob").code == 1


def test_teams_are_listed_added_and_removed(tb: Cli) -> None:
    added = tb("team", "add", "nlp")
    assert added.out == "nlp (gid 30001): data/teams/nlp, for its members /teams/nlp\n"
    tb.hub.teams["nlp"]["members"] = ["alice", "bob"]
    assert tb("team", "list").out == "TEAM  GID    MEMBERS\nnlp   30001  alice, bob\n"
    assert tb("team", "list", "--json").json["teams"][0]["gid"] == 30001
    assert tb("team", "remove", "nlp").code == 2
    removed = tb("team", "remove", "nlp", "vision", "--yes", "--json")
    assert removed.code == 1
    assert removed.json == {
        "removed": [{"name": "nlp", "archive": "nlp~1", "home": "data/archive/nlp~1"}]
    }
    assert json.loads(removed.err)["name"] == "vision"


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize(
    "words", [["user", "show"], ["user", "link"], ["user", "remove", "--yes"], ["user", "add"],
              ["user", "restore"], ["team", "remove", "--yes"]], ids=" ".join,
)  # fmt: skip
def test_bad_names_are_refused_with_one_sentence(tb: Cli, words: list[str], name: str) -> None:
    """THREATS B1: none of them is another path of the API, and none is a stack trace."""
    refused = tb(*words, "--", name)
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert len(refused.err) < 300
    for _, path, _ in tb.hub.asked:
        kind, *rest = path.removeprefix("/hub/api/tinyberth/").split("/")
        assert kind == ("teams" if words[0] == "team" else "people")
        assert len(rest) <= (2 if words[1] in {"link", "restore"} else 1)
    assert not tb.hub.people


def test_a_hub_that_is_down_is_told_once(tb: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyberth_hub.cli_hub.HUB_SOCKET", "/nonexistent/hub.sock")
    answer = tb("user", "add", "alice", "bob")
    assert answer.code == 1
    assert answer.err.count("does not answer") == 1
    assert json.loads(tb("user", "list", "--json").err)["status"] is None


@pytest.mark.parametrize(
    "words",
    [f"user {action}" for action in ("add", "import", "link", "list", "show", "admin", "team",
                                     "rename", "remove", "restore", "stop", "park")]
    + [f"team {action}" for action in ("list", "add", "remove")] + ["user", "team"],
)  # fmt: skip
def test_every_help_has_an_example_and_the_exit_codes(tb: Cli, words: str) -> None:
    text = tb(*words.split(), "--help").out
    assert "example" in text
    assert f"  tinyberth-hub {words}" in text
    assert "exit codes:" in text
    launched = tb("--leashed", *words.split(), "--help").out
    assert f"  ./tinyberth {words}" in launched
    assert "tinyberth-hub" not in launched

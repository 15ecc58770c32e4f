"""What a CSV file says, and what would become of each line."""

from __future__ import annotations

import pytest

from tinyberth_common.names import check_login, normalize_login
from tinyberth_hub import csv_import
from tinyberth_hub.csv_import import Line, lines_of, parse_csv
from tinyberth_hub.import_preview import Present, judge
from tinyberth_hub.ledger_client import Berth
from tinyberth_hub.refusals import ChangeRefusedError
from tinyberth_server import checks


def local(name: str) -> tuple[str, str]:
    login = check_login(normalize_login(name))
    return login, login


def people(text: str) -> list[Line]:
    return parse_csv(text)


def present() -> Present:
    berths = [
        Berth("alice", "alice", 20000, 20000),
        Berth("gone", "gone", 20001, 20001, "gone~1"),
    ]
    return Present({"alice"}, berths, {"nlp": 30000})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alice\nbob\n", [Line(1, "alice"), Line(2, "bob")]),
        ("name\nalice\n", [Line(2, "alice")]),
        ("NAME,Admin\nalice,yes\n", [Line(2, "alice", admin=True)]),
        ("admin,name\nyes,alice\n", [Line(1, "admin", why="uid 'name'"), Line(2, "yes", why="")]),
        ("\ufeffname,uid\r\nalice,1005\r\n", [Line(2, "alice", 1005)]),
        ("alice\r\rbob", [Line(1, "alice"), Line(3, "bob")]),
        ('"alice","","","nlp;vision"', [Line(1, "alice", teams=("nlp", "vision"))]),
        ("alice,,,nlp vision;nlp,no", [Line(1, "alice", teams=("nlp", "vision"))]),
        ("  alice , 1005 ,1006", [Line(1, "alice", 1005, 1006)]),
        ("\n,,,\n  \nalice\n", [Line(4, "alice")]),
        ("", []),
        ("name,uid,gid,teams,admin\n", []),
        ("José.García@uni.example", [Line(1, "José.García@uni.example")]),
        ('"Smith, Jane"', [Line(1, "Smith, Jane")]),
    ],
)
def test_files_as_people_write_them(text: str, expected: list[Line]) -> None:
    lines = people(text)
    assert [line.number for line in lines] == [line.number for line in expected]
    for line, wanted in zip(lines, expected, strict=True):
        if wanted.why is None:
            assert line == wanted
        else:
            assert line.why
            assert wanted.why in line.why


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("bob,0", "uid '0' is not a Unix id: write a number from 1000"),
        ("bob,-1", "uid '-1' is not"),
        ("bob,01000", "uid '01000' is not"),
        ("bob,1e3", "uid '1e3' is not"),
        ("bob,2147483648", "uid 2147483648 is refused"),
        ("bob,999", "uid 999 is refused"),
        ("bob,1000,4294967296", "gid 4294967296 is refused"),
        ("bob,,1000", "A gid needs a uid"),
        ("bob,,,,maybe", "admin is yes or no"),
        ("bob,,,,,extra", "more than 5 columns"),
        (",1000", "A name has"),
        ("x" * 300, "A name has"),
        ('"bob', "look at its quotes"),
        ('bob"x"y"', None),  # quotes inside a cell are just characters
    ],
)
def test_a_bad_line_says_why_and_spoils_no_other(row: str, why: str | None) -> None:
    before, line, after = people(f"ann\n{row}\nzoe\n")
    assert (before.name, before.why, after.name, after.why) == ("ann", None, "zoe", None)
    assert (line.why is None) if why is None else (line.why and why in line.why)


@pytest.mark.parametrize(
    ("header", "named"),
    [("name,shoe size", "shoe size"), ("name,name", "name"), ("name,uid,UID", "name")],
)
def test_a_header_that_does_not_fit_refuses_the_file(header: str, named: str) -> None:
    with pytest.raises(ChangeRefusedError, match="The header must name") as refused:
        people(f"{header}\nalice\n")
    assert named in refused.value.message


def test_the_limits_are_refused_with_a_sentence() -> None:
    assert len(people("name\n" + "x\n" * csv_import.MAX_LINES)) == csv_import.MAX_LINES
    with pytest.raises(ChangeRefusedError, match="more than 5000 people"):
        people("x\n" * (csv_import.MAX_LINES + 1))
    with pytest.raises(ChangeRefusedError, match="more than 1 MiB"):
        people("é" * 2**19 + "é")


@pytest.mark.parametrize(
    ("line", "outcome", "why"),
    [
        (Line(1, "bob"), "new", None),
        (Line(1, "BOB"), "new", None),
        (Line(1, "alice"), "exists", None),
        (Line(1, "Alice"), "exists", None),
        (Line(1, "gone"), "new", None),  # a new person, with new ids
        (Line(1, "José"), "refused", "cannot be a login name"),
        (Line(1, "\u212aelvin"), "refused", "cannot be a login name"),
        (Line(1, "root"), "refused", "reserved"),
        (Line(1, "nlp"), "refused", "nlp is a team here"),
        (Line(1, "bob", 20000), "refused", "20000 is or was the number of alice"),
        (Line(1, "bob", 20001), "refused", "number of gone~1"),
        (Line(1, "bob", 30000), "refused", "number of nlp"),
        (Line(1, "bob", teams=("nlp", "fresh")), "new", None),
        (Line(1, "bob", teams=("Not a team",)), "refused", "cannot be a team's name"),
        (Line(1, "bob", teams=("alice",)), "refused", "alice is or was a person"),
        (Line(1, "bob", teams=("bob",)), "refused", "bob is a person"),
        (Line(1, "bob", why="This line is no CSV"), "refused", "no CSV"),
    ],
)
def test_what_would_become_of_a_line(line: Line, outcome: str, why: str | None) -> None:
    judged = judge(line, present(), local)
    assert (judged["line"], judged["outcome"]) == (1, outcome)
    assert (judged["why"] is None) if why is None else (why in str(judged["why"]))


def test_who_stands_in_the_file_twice_is_refused_the_second_time() -> None:
    here = present()
    outcomes = [judge(line, here, local) for line in people("bob\nann\nBob\nann,1234\n")]
    assert [o["outcome"] for o in outcomes] == ["new", "new", "refused", "refused"]
    assert outcomes[2]["why"] == "bob stands in line 1 already."


def test_a_number_given_twice_in_the_file_is_refused_the_second_time() -> None:
    here = present()
    outcomes = [judge(line, here, local) for line in people("a,1234\nb,1234\nc,1235,1234\n")]
    assert [o["outcome"] for o in outcomes] == ["new", "refused", "refused"]
    assert outcomes[1]["why"] == "1234 is or was the number of a."


def test_teams_that_would_be_made_are_told() -> None:
    judged = judge(Line(1, "bob", teams=("nlp", "fresh")), present(), local)
    assert (judged["teams"], judged["new_teams"]) == (["nlp", "fresh"], ["fresh"])


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"name": "bob"}, Line(1, "bob")),
        ({"name": "bob", "uid": 1005, "teams": ["nlp"], "admin": True},
         Line(1, "bob", 1005, None, ("nlp",), True)),
        ({"name": "bob", "uid": None, "teams": None}, Line(1, "bob")),
    ],
)  # fmt: skip
def test_a_json_list_is_read_like_a_file(item: object, expected: Line) -> None:
    assert lines_of([item]) == [expected]


@pytest.mark.parametrize(
    "item",
    [None, "bob", {}, {"name": 1}, {"name": "bob", "uid": "1005"}, {"name": "bob", "uid": True},
     {"name": "bob", "shoe": 1}, {"name": "bob", "teams": "nlp"}, {"name": "bob", "teams": [1]},
     {"name": "bob", "admin": "yes"}, {"name": "bob", "uid": 10**12}],
)  # fmt: skip
def test_an_object_that_is_no_person_is_refused_by_itself(item: object) -> None:
    bad, good = lines_of([item, {"name": "ann"}])
    assert bad.why
    assert good == Line(2, "ann")


def test_the_range_of_ids_is_the_ledgers() -> None:
    assert csv_import.LOWEST_ID == checks.LOWEST_ID
    assert csv_import.HIGHEST_ID == checks.HIGHEST_ID

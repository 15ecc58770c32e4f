"""Which notebooks are delivered: never over the user's work, and never the same twice."""

from __future__ import annotations

import pytest

from tinyberth_start.plan import NOT_A_FILE, Delivery, new_name, plan_deliveries

A, B, C, MINE = "edition-a", "edition-b", "edition-c", "changed by the user"
NEW, NEW_2 = "n (new).ipynb", "n (new 2).ipynb"

CASES = [
    ("appears in an empty home", {}, {}, [Delivery("n.ipynb", "n.ipynb")]),
    ("is left alone when it is up to date", {"n.ipynb": B}, {"n.ipynb": B}, []),
    ("untouched is updated", {"n.ipynb": A}, {"n.ipynb": A}, [Delivery("n.ipynb", "n.ipynb", A)]),
    ("touched is kept", {"n.ipynb": A}, {"n.ipynb": MINE}, [Delivery("n.ipynb", NEW)]),
    ("touched since this edition is kept", {"n.ipynb": B}, {"n.ipynb": MINE}, []),
    ("deleted does not come back", {"n.ipynb": B}, {}, []),
    ("deleted comes as a new edition", {"n.ipynb": A}, {}, [Delivery("n.ipynb", "n.ipynb")]),
    ("unknown file of that name is kept", {}, {"n.ipynb": MINE}, [Delivery("n.ipynb", NEW)]),
    ("same content is recognised", {}, {"n.ipynb": B}, []),
    ("folder of that name is kept", {}, {"n.ipynb": NOT_A_FILE}, [Delivery("n.ipynb", NEW)]),
    (
        "untouched new edition is replaced by a newer",
        {"n.ipynb": A},
        {"n.ipynb": MINE, NEW: A},
        [Delivery("n.ipynb", NEW, A)],
    ),
    (
        "touched new edition is kept as well",
        {"n.ipynb": A},
        {"n.ipynb": MINE, NEW: MINE},
        [Delivery("n.ipynb", NEW_2)],
    ),
    ("new edition lies there already", {"n.ipynb": A}, {"n.ipynb": MINE, NEW: B}, []),
    ("manifest lost, edition beside", {}, {"n.ipynb": MINE, NEW: B}, []),
]


@pytest.mark.parametrize(
    ("delivered", "at_home", "expected"),
    [case[1:] for case in CASES],
    ids=[f"notebook-{case[0]}".replace(" ", "-") for case in CASES],
)
def test_each_state_of_a_home_has_one_decision(delivered, at_home, expected):
    plan = plan_deliveries({"n.ipynb": B}, delivered, at_home)
    assert list(plan.deliveries) == expected
    assert plan.manifest == {"n.ipynb": B}


@pytest.mark.parametrize("at_home", [case[2] for case in CASES])
@pytest.mark.parametrize("delivered", [{}, {"n.ipynb": A}, {"n.ipynb": B}])
def test_a_second_start_has_nothing_left_to_do(delivered, at_home):
    first = plan_deliveries({"n.ipynb": B}, delivered, at_home)
    afterwards = {**at_home, **{delivery.target: B for delivery in first.deliveries}}
    assert plan_deliveries({"n.ipynb": B}, first.manifest, afterwards).deliveries == ()


@pytest.mark.parametrize("at_home", [case[2] for case in CASES])
def test_what_the_user_wrote_is_in_no_plan(at_home):
    for delivery in plan_deliveries({"n.ipynb": C}, {"n.ipynb": A}, at_home).deliveries:
        assert at_home.get(delivery.target) in (None, A)
        assert delivery.replaces == at_home.get(delivery.target)


def test_notebooks_that_the_image_no_longer_ships_stay_known():
    assert plan_deliveries({"n.ipynb": B}, {"old.ipynb": A}, {}).manifest == {
        "old.ipynb": A,
        "n.ipynb": B,
    }


def test_the_new_edition_has_a_name_that_says_so():
    assert new_name("My first steps.ipynb") == "My first steps (new).ipynb"

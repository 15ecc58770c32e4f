"""What bench/hub.py makes of its samples, and what its browser keeps between two pages."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from browsers import Browser, Refused
from figures import Goal, Spread, percentile, spreads, table
from hub import ADMINS_PAGES, LOGIN, SECONDS, act_out, evenly, read_goals
from own_deployment import cpu_seconds_in


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([3.0], 0.95, 3.0),
        ([1, 2, 3, 4], 0.5, 2),
        ([4, 3, 2, 1], 0.5, 2),
        ([*range(1, 21)], 0.95, 19),  # 0.95 * 20 is a little over 19 in floats
        ([*range(1, 101)], 0.95, 95),
        ([*range(1, 11)], 0.95, 10),
        ([1, 2], 1.0, 2),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(values, part, expected):
    assert percentile(values, part) == expected


def test_of_nothing_there_is_no_percentile():
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


def test_kinds_keep_their_order_and_the_table_says_how_much_slower_they_became():
    rest = spreads([("login page", 0.1), ("People page", 0.2), ("login page", 0.3)])
    busy = spreads([("login page", 0.6), ("login", 1.0)])
    assert rest["login page"] == Spread(count=2, p50=0.1, p95=0.3, most=0.3)
    lines = [line.split() for line in table(rest, busy)[2:]]
    assert lines == [
        ["login", "page", "0.100", "0.300", "0.300", "0.600", "0.600", "0.600", "2.0"],
        ["People", "page", "0.200", "0.200", "0.200"],
        ["login", "1.000", "1.000", "1.000"],
    ]


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (1.994, "reached  a page, p95: 1.99 s, goal: under 2"),
        (2.0, "MISSED   a page, p95: 2 s, goal: under 2"),
        (12.5, "MISSED   a page, p95: 12.5 s, goal: under 2"),
    ],
)
def test_a_goal_is_missed_at_its_bound(figure, line):
    assert str(Goal("a page, p95", figure, 2.0)) == line


def samples(**changed):
    """Return samples of one phase in which everything is well, but for what is ``changed``."""
    well = {"hub home": (0.1, 0), LOGIN: (0.2, 0), **dict.fromkeys(ADMINS_PAGES, (0.3, 0))}
    return [(kind, *found) for kind, found in {**well, **changed}.items()]


@pytest.mark.parametrize(
    ("rest", "busy", "missed"),
    [
        ({}, {}, []),
        ({}, {LOGIN: (0.1, 403)}, ["logins that failed"]),
        ({}, {LOGIN: (0.1, 429)}, ["logins that failed", "logins throttled, or without room"]),
        ({}, {LOGIN: (0.1, 503)}, ["logins that failed", "logins throttled, or without room"]),
        ({}, {LOGIN: (60.0, 0)}, []),
        ({}, {"hub home": (2.0, 0)}, ["other pages under load, p95"]),
        ({"hub home": (2.5, 0)}, {}, ["other pages at rest, p95"]),
        ({"hub home": (0.1, 502)}, {}, ["other requests that failed"]),
        ({}, {"People page": (1.0, 0)}, ["People page under load, p95"]),
        ({"admin page": (1.5, 0)}, {}, ["admin page at rest, p95"]),
    ],
)
def test_goals(rest, busy, missed):
    found = read_goals(samples(**rest), samples(**busy), logins=1)
    assert [goal.what for goal in found if not goal.reached] == missed


def test_everything_is_begun_in_its_time():
    assert evenly(0.5)[:3] == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert max(due for _, due in evenly(0.1)) < SECONDS


def test_what_is_slow_or_refused_keeps_nothing_else_waiting():
    done = threading.Event()

    def wait() -> None:
        assert done.wait(30)

    def refuse() -> None:
        raise Refused(429, "later")

    plan = [(0.0, "slow", wait), (0.0, "refused", refuse), (0.01, "last", done.set)]
    found = {kind: (seconds, status) for kind, seconds, status in act_out(plan)}
    assert [found[kind][1] for kind in ("slow", "refused", "last")] == [0, 429, 0]
    assert found["slow"][0] >= 0.01


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("usage_usec 2500000\nuser_usec 2000000\n", 2.5), ("2500000000\n", 2.5)],
)
def test_seconds_of_processor_are_read_from_both_kinds_of_control_groups(said, seconds):
    assert cpu_seconds_in(said) == seconds


class Pages(http.server.BaseHTTPRequestHandler):
    """Sets a cookie on each path, and answers with the cookies that came."""

    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Set-Cookie", "_xsrf=secret; HttpOnly; Path=/hub/")
        self.send_header("Set-Cookie", f"seen={self.path.count('/')}; Path=/")
        self.end_headers()
        form = '<input type="hidden" name="_xsrf" value="secret"/>'
        cookies = self.headers.get("Cookie", "none")
        self.wfile.write(f"{self.headers['Host']} {cookies} {form}".encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(302)
        self.send_header("Location", f"/{body}&{self.headers['Cookie']}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def browser() -> Iterator[Browser]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Browser(f"http://hub.localhost:{server.server_port}")
        server.shutdown()


def test_a_browser_sends_cookies_where_they_belong_and_posts_forms(browser):
    assert b"none" in browser.open("/hub/login")
    assert b" _xsrf=secret; seen=2 " in browser.open("/hub/login")
    assert b" seen=2 " in browser.open("/elsewhere")
    assert browser.xsrf("/hub/login") == "secret"
    assert browser.post_form("/hub/login", _xsrf="secret", username="a b") == (
        "/_xsrf=secret&username=a+b&_xsrf=secret; seen=2"
    )
    with pytest.raises(Refused, match="404"):
        browser.open("/missing")

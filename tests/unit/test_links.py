"""One-time links: single use, expiry, no forgery, no second person (THREATS A14, F14)."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from tinyberth_hub.accounts import Account
from tinyberth_hub.links import LinkRefusedError, LinkSigner, fingerprint

SIGNER = LinkSigner(key="k" * 64, max_age_days=7)
INVITED = Account("alice", "id-of-alice", None, 1, "2026-01-01T00:00:00+00:00")


def test_a_link_opens_the_account_it_was_made_for() -> None:
    token = SIGNER.make(INVITED)
    assert SIGNER.claimed_name(token) == "alice"
    assert SIGNER.check(token, INVITED) == INVITED


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (replace(INVITED, password_hash="set", link_serial=2), "used or replaced"),
        (replace(INVITED, link_serial=2), "used or replaced"),
        (replace(INVITED, account_id="someone-added-later"), "used or replaced"),
        (replace(INVITED, name="bob"), "not valid"),
        (None, "not valid"),
    ],
    ids=["used", "replaced by a newer", "same name, new person", "another name", "removed"],
)
def test_a14_a_link_dies_with_the_state_it_was_made_for(now: Account | None, reason: str) -> None:
    token = SIGNER.make(INVITED)
    with pytest.raises(LinkRefusedError, match=reason):
        SIGNER.check(token, now)


def test_a14_a_link_expires_after_its_days_and_not_before() -> None:
    with mock.patch("time.time", return_value=1_000_000.0):
        token = SIGNER.make(INVITED)
    with mock.patch("time.time", return_value=1_000_000.0 + 7 * 86400):
        assert SIGNER.check(token, INVITED) == INVITED
    with (
        mock.patch("time.time", return_value=1_000_000.0 + 7 * 86400 + 2),
        pytest.raises(LinkRefusedError, match="expired: links work for 7 days"),
    ):
        SIGNER.check(token, INVITED)


def test_a14_every_altered_character_is_noticed() -> None:
    token = SIGNER.make(INVITED)
    for position, letter in enumerate(token):
        altered = token[:position] + ("A" if letter != "A" else "B") + token[position + 1 :]
        # The last letter of base64 may carry unused bits: another spelling of the same bytes.
        if position == len(token) - 1:
            continue
        with pytest.raises(LinkRefusedError):
            SIGNER.check(altered, INVITED)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\x00", "ü", "x" * 10_000])
def test_a14_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(LinkRefusedError, match="not valid"):
        SIGNER.check(token, INVITED)


def test_a14_another_deployments_link_is_refused() -> None:
    token = LinkSigner(key="j" * 64, max_age_days=7).make(INVITED)
    with pytest.raises(LinkRefusedError, match="not valid"):
        SIGNER.check(token, INVITED)


def test_the_fingerprint_covers_every_part_of_the_state() -> None:
    states = [
        INVITED,
        replace(INVITED, account_id="other"),
        replace(INVITED, password_hash="hash"),
        replace(INVITED, link_serial=2),
    ]
    assert len({fingerprint(state) for state in states}) == len(states)

"""Whatever two JSON readers could understand differently is refused."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyberth_server.errors import RefusedError
from tinyberth_server.strict_json import MAX_BRACKETS, MAX_DEPTH, MAX_VALUES, parse


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"a": 1}}',
        b"[]",
        b"null",
        b'"a"',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "A": 2}',
        b'{"K": 1, "k": 2}',  # Kelvin sign: Go's decoder folds it to k
        '{"ſ": 1, "s": 2}'.encode(),  # long s: folded by Go too
        b'{"a": {"HostConfig": {}, "hostconfig": {"Privileged": true}}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1.5}',
        b'{"a": 1e3}',
        b'{"a": 1e400}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'\xef\xbb\xbf{"a": 1}',
        "{}".encode("utf-16"),
        b'{"a": "\x00"}',
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} // why',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000,
        b'{"a": [' + b"0," * MAX_VALUES + b"0]}",
        b'{"a": [' + b"[]," * MAX_BRACKETS + b"0]}",
        b"{" + b"".join(b'"%d": 0,' % n for n in range(MAX_VALUES)) + b'"a": 0}',
    ],
    ids=lambda raw: ascii(raw[:40]),
)
def test_a_document_with_two_readings_is_refused(raw):
    with pytest.raises(RefusedError) as refused:
        parse(raw)
    assert refused.value.status == 400
    assert len(refused.value.message) < 300
    refused.value.message.encode("utf-8")  # can be answered as JSON


def test_nesting_up_to_the_limit_is_read():
    assert parse(b'{"a": ' + b"[" * 14 + b"]" * 14 + b"}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aZ0 é\n☃💡"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcde"), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abcde"), json_values))
def test_what_it_reads_is_what_was_written(document):
    assert parse(json.dumps(document).encode()) == document


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(raw):
    with suppress(RefusedError):
        assert isinstance(parse(raw), dict)

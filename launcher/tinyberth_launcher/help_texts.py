"""The longer words of `--help`."""

EXAMPLES = """\
examples:
  ./tinyberth up                    install what is missing, build, start, print the link
  ./tinyberth user add alice        add a person; prints her one-time link
  ./tinyberth status                what runs, who is there
  ./tinyberth logs hub -f           follow one service's log
  ./tinyberth down                  stop everything; files and accounts stay
  ./tinyberth test unit             the fast tests alone

"""

TEST_EXAMPLES = """\
./tinyberth test                             lint and all rings, as CI does
  ./tinyberth test lint                        format, lint, types
  ./tinyberth test unit                        one ring: unit, image, stack or browser
  ./tinyberth test tests/unit/test_names.py    one file
  ./tinyberth test stack -k owner -x           pytest's own options
The exit code is pytest's own (1: a test failed, 2: interrupted or not readable, 5: none
found), or 1 where only a linter failed."""

USER_HELP = """\
usage: ./tinyberth user add|link|list … (passed to `tinyberth-hub user` in the hub's container)

examples:
  ./tinyberth user add alice bob              add people; prints a one-time link for each
  ./tinyberth user add carol --uid 1005 --gid 1005
  ./tinyberth user link alice                 a fresh link; the old one dies
  ./tinyberth user list
The same without the launcher: docker compose exec -T hub tinyberth-hub user …
"""

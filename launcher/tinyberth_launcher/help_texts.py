"""The longer words of `--help`."""

from .problem import EXIT_CODES

EXAMPLES = """\
examples:
  ./tinyberth up                    install what is missing, build, start, print the link
  ./tinyberth user add alice        add a person; prints her one-time link
  ./tinyberth user import people.csv > links.csv
  ./tinyberth team add nlp          make a team with a shared folder
  ./tinyberth status                what runs, who is there
  ./tinyberth logs hub -f           follow one service's log
  ./tinyberth doctor                look at all that must hold; --fix mends
  ./tinyberth dataset add NAME PATH    show everybody a file or folder, read-only
  ./tinyberth preset fetch bert_tiny_en_uncased    real weights for TinyBERT
  ./tinyberth tunnel ada@server     on a laptop: open the server's hub
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

TUNNEL_EXAMPLES = """\
./tinyberth tunnel ada@server                 the hub of a server with PORT=8000
  ./tinyberth tunnel ada@server --port 8080
  ./tinyberth tunnel ada@server -- -p 2222 -i ~/.ssh/hub    ssh's own options
  ./tinyberth tunnel ada@server --socket /srv/door/hub.sock    a hub with LISTEN=unix
Without this command: ssh -L 8000:localhost:8000 ada@server, and open http://hub.localhost:8000"""

DOCTOR_EXAMPLES = """\
./tinyberth doctor                  look, change nothing; also when all is down
  ./tinyberth doctor people disk      these topics alone
  ./tinyberth doctor --fix            show what can be mended, and ask before each
  ./tinyberth doctor --json | jq '.findings[] | select(.level == "fault")'
Its exit codes: 0 no fault; 1 faults are left; 2 no fault seen, and not all could be looked at."""

PRESET_EXAMPLES = """\
./tinyberth preset fetch bert_tiny_en_uncased    real weights, into data/presets
  ./tinyberth preset list                          what is pinned, what is there
An interrupted fetch goes on where it stopped. Kaggle's credentials are not needed."""

DATASET_EXAMPLES = """\
./tinyberth dataset add reviews ~/reviews.csv    one file, or a folder with all below it
  ./tinyberth dataset fetch disaster-tweets        Kaggle's files, beside the sample
  ./tinyberth dataset list
`fetch` takes KAGGLE_USERNAME and KAGGLE_KEY (or KAGGLE_API_TOKEN) from the shell and writes them
nowhere. Under sudo: sudo --preserve-env=KAGGLE_USERNAME,KAGGLE_KEY ./tinyberth dataset fetch …"""

USER_HELP = f"""\
usage: ./tinyberth user ACTION …; each action's --help says more

  add NAME…            add people; prints a one-time link for each
  import FILE          add many from CSV: name,uid,gid,teams,admin
  link NAME…           fresh links; the old ones die
  list, show NAME      who is there: ids, state, teams, disk, server, last seen
  admin NAME… [--off]  make admins, or unmake them
  team NAME            --join and --leave teams
  rename OLD NEW       another login; uid and files stay
  stop NAME…           stop servers
  remove NAME…         out, with the files moved to data/archive
  restore NAME         back, with uid and files

examples:
  ./tinyberth user add alice bob
  ./tinyberth user add carol --uid 1005 --gid 1005 --team nlp
  ./tinyberth user import people.csv > links.csv
  ./tinyberth user team alice --join nlp
  ./tinyberth user list --json
The same without the launcher: docker compose exec hub tinyberth-hub user …

{EXIT_CODES}
"""

TEAM_HELP = f"""\
usage: ./tinyberth team ACTION …; each action's --help says more

  list           all teams, their gids and members
  add TEAM…      make teams, each with a shared folder: data/teams/TEAM, /teams/TEAM for members
  remove TEAM…   out, with the files moved to data/archive

examples:
  ./tinyberth team add nlp
  ./tinyberth user team alice --join nlp
The same without the launcher: docker compose exec hub tinyberth-hub team …

{EXIT_CODES}
"""

# shellcheck shell=bash
# What the bash of a terminal reads: the same as a login shell, and ~/.bashrc where there is no
# profile. tinyberth_start/terminal.py chooses the file, and waits for the report that it was read.
. /etc/profile
if [[ -n ${TINYBERTH_STARTUP-} ]]; then
  # `||`: so that `set -e` in there does not end this shell
  # shellcheck source=/dev/null
  . "$TINYBERTH_STARTUP" || :
fi
if [[ $- == *e* ]]; then
  set +e
  echo "${TINYBERTH_STARTUP-} sets -e, which would close this terminal at the first command that fails. It is off again." >&2
fi
if [[ -n ${TINYBERTH_READY-} ]]; then
  builtin printf . >&"$TINYBERTH_READY"
  exec {TINYBERTH_READY}>&-
fi
unset TINYBERTH_STARTUP TINYBERTH_READY

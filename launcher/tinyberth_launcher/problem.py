"""What the launcher says when it cannot go on, and the exit codes of every command."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
REFUSED = 3
INTERRUPTED = 130

EXIT_CODES = """\
exit codes:
  0    done
  1    a step failed; what happened and what to do stands above
  2    the command line is wrong (nothing was started)
  3    the settings or this machine do not fit (nothing was started)
  130  interrupted; the same command can be run again"""


class Problem(Exception):  # noqa: N818 - it is what people are shown: "a problem", not an error
    """Something a person has to know: what happened, why, and what to do now.

    ``lines`` are the last lines of the command that failed, shown above the sentences.
    """

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        lines: list[str] | None = None,
        code: int = FAILED,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.lines = lines or []
        self.code = code

    def text(self) -> str:
        """Return the message as it is printed."""
        parts = ["    | " + line for line in self.lines]
        parts.append(self.what)
        if self.why:
            parts.append(f"  Why:  {self.why}")
        if self.remedy:
            parts.append(f"  Do:   {self.remedy}")
        return "\n".join(parts)

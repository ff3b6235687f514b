"""A terminal for tests: what is typed, what is printed, how it exits."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from rekindle.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it exited."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def typed(*words: object) -> Answer:
    """Runs `rekindle` with these words in this process, as its entry point does."""
    out, err = io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", ["rekindle", *map(str, words)]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


def done(*words: object) -> Answer:
    """The same, for a command that must succeed."""
    answer = typed(*words)
    assert answer.code == 0, answer.err
    return answer

"""The command line: one command per verb; data on stdout, talk on stderr.

Knows nothing of how anything is done; every command calls the verb of its name.
"""

import gc
import signal
import sys
import traceback
from types import FrameType
from typing import TYPE_CHECKING

from rekindle.cli.output import fail, say
from rekindle.errors import RekindleError, StoreUnavailable, UsageError

if TYPE_CHECKING:
    from typer._click.exceptions import ClickException

INTERRUPTED = 130


def main() -> None:
    """Runs the command line and exits with the code of DESIGN section 4: 0 done, 1 failed, 2 wrong usage, 3 bad data, 4 refused."""
    from typer._click.exceptions import ClickException  # typer carries its own click and names this class nowhere else, 2026-11

    from rekindle.cli.app import app

    stopped = _Stopped()
    signal.signal(signal.SIGTERM, stopped)  # an order to end is as orderly as Ctrl-C
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, stopped)
    gc.set_threshold(50_000, 20, 50)  # expressions are many small objects: looked through less often, a run takes a sixth less
    try:
        code = app(prog_name="rekindle", standalone_mode=False) or 0
    except RekindleError as error:
        code = _failed(error)
    except ClickException as error:
        code = _misused(error)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        code = _failed(StoreUnavailable(f"cannot use{where}: {error.strerror or error}", "Check its permissions and the free space."))
    except Exception as error:  # noqa: BLE001  a newcomer gets one message; the place in the code is in it
        code = INTERRUPTED if stopped.told else _unforeseen(error)
    if code == INTERRUPTED:
        say("\nStopped. What was committed stays; the same command goes on from there.")
    sys.exit(code)


class _Stopped:
    """Ends a command as Ctrl-C does, and remembers it: the engine of the history turns that into an error of its own."""

    def __init__(self) -> None:
        self.told = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Takes the signal.

        Raises:
            KeyboardInterrupt: Always.
        """
        self.told = True
        raise KeyboardInterrupt


def _unforeseen(error: Exception) -> int:
    return _failed(RekindleError(_place(error), "This is a mistake in Rekindle: please report it with the command that you typed."))


def _failed(error: RekindleError) -> int:
    fail(error, as_json="--json" in sys.argv)
    return error.exit_code


def _misused(error: "ClickException") -> int:
    if not sys.argv[1:]:
        error.show()
        return UsageError.exit_code
    words = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "rekindle"
    if words.startswith("No such option: --store"):
        return _failed(UsageError("--store stands before the command", f"Write: rekindle --store DIR {command.split()[-1]}"))
    return _failed(UsageError(words[:1].lower() + words[1:], f"See: {command} --help"))


def _place(error: Exception) -> str:
    """The error's kind, its first line, and the last line of Rekindle's own that it passed."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "rekindle" in frame.filename]
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    said = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}{where}: {said}".removesuffix(": ")

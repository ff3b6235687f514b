"""The command line: one command per verb; data on stdout, talk on stderr.

Knows nothing of how anything is done; every command calls the verb of its name.
"""

import sys

from rekindle.cli.output import fail
from rekindle.errors import RekindleError


def main() -> None:
    """Runs the command line and exits with the code of DESIGN section 4: 0 done, 1 failed, 2 wrong usage, 3 bad data, 4 refused."""
    from rekindle.cli.app import app

    try:
        app()
    except RekindleError as error:
        fail(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was committed stays; the same command goes on from there.\n")
        sys.exit(1)

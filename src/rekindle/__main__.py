"""`python -m rekindle`: the command line.

Knows nothing of commands.
"""

from rekindle.cli import main

if __name__ == "__main__":
    main()

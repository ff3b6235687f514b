"""How a process that runs for long says what goes wrong: once, and not at every try.

Knows nothing of what goes wrong.
"""

from collections.abc import Callable


def once(say: Callable[[str], None]) -> Callable[[str], None]:
    """Says a line where it is another than the one before.

    Args:
        say: Takes a line of talk.

    Returns:
        What takes a line; an empty one says that all is well again.
    """
    told = ""

    def tell(line: str) -> None:
        nonlocal told
        if line and line != told:
            say(line)
        told = line

    return tell

"""How a process that runs for long says what goes wrong: once, not at every try, and without what a person wrote.

Knows nothing of what goes wrong.
"""

import traceback
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


def mistake(error: BaseException) -> str:
    """What is said of a mistake: its kind and its place in our code; its words may hold what a person wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f"{one.filename}:{one.lineno}" for one in reversed(frames) if "rekindle" in one.filename), "nowhere")
    return f"{type(error).__name__} at {place}"


def address(request: object) -> str:
    """Which address was asked for, as the pattern that it has: what stands in it may name a customer, or open their page."""
    found = getattr(request, "resolver_match", None)
    return str(found.route) if found else "an address that is not ours"

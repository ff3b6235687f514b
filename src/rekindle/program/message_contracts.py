"""What a program's messages must say, and what a message about a customer's own order must leave out.

Knows nothing of words: content is named in blocks, which templates fill.
"""

from collections.abc import Iterator, Mapping

from rekindle.program.documents import Offer, Program, Stage
from rekindle.program.reading import Place
from rekindle.program.validating import Mistake
from rekindle.program.vocabulary import PROMOTING, SERVICE_ALWAYS, content_needed


def of_messages(program: Program, offers: Mapping[str, Offer]) -> Iterator[Mistake]:
    """Every block that a stage lacks, and everything that makes a service message advertising.

    Args:
        program: The program.
        offers: The store's offers by name; one that is not there is another check's to name.
    """
    for number, stage in enumerate(program.stages):
        given = [arm.name for arm in stage.arms if arm.offer in offers and offers[arm.offer].traits.card]
        needed = content_needed(program.trigger.on, stage.name, number == 0, frozenset(stage.content), bool(given))
        if lacking := sorted(needed - set(stage.content)):
            why = f"stages.{stage.name}.content: the stage {stage.name} needs {', '.join(lacking)}"
            yield Mistake(("stages", stage.name, "content"), "content-missing", why, f"Add {', '.join(lacking)}.")
        if program.service:
            yield from _promoting(stage, given)
    if program.service and (lacking := sorted(SERVICE_ALWAYS - set(program.content_always))):
        why = f"content_always: every service message needs {', '.join(lacking)}"
        yield Mistake(("content_always",), "content-missing", why, f"Add {', '.join(lacking)}.")


def _promoting(stage: Stage, given: list[str]) -> Iterator[Mistake]:
    """Offers and blocks that a service message must not have: nobody consented to them."""
    for position, block in enumerate(stage.content):
        if block in PROMOTING:
            path: Place = ("stages", stage.name, "content", position)
            why = f"stages.{stage.name}.content: {block} is advertising, and a service message has none"
            yield Mistake(path, "service-promotes", why, f"Remove {block}, or write class: marketing.")
    for name in given:
        why = f"stages.{stage.name}.arms.{name}: a service message gives nothing but news of the order"
        yield Mistake(("stages", stage.name, "arms", name, "offer"), "service-promotes", why, "Write offer: none.")

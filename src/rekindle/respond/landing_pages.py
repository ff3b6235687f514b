"""What a shop's landing pages say to whom: its own words for a segment, in every language that it has written them in.

Knows nothing of how a page looks. Offers, carts and deadlines are never written here: they are the customer's own.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rekindle.deliver.claims import Mishap
from rekindle.program.documents import Cohort
from rekindle.program.fields import Entry, mistake

Text = Annotated[str, Field(min_length=1, max_length=400)]
Title = Annotated[str, Field(min_length=1, max_length=80)]


class Who(Entry):
    """A segment, by what its messages were decided by; all that is named must hold, and of what is not named anything may."""

    program: str = ""
    """The program that wrote; its audience may be any segment of segments.yaml."""
    stage: str = ""
    """The stage of the program."""
    persona: Literal["", "price_sensitive", "premium", "quick_solution"] = ""
    """How the customer likes to buy."""
    cohort: Literal["", Cohort] = ""
    """The lapsed cohort."""
    cause: Literal["", Mishap] = ""
    """The evidenced cause of the lapse."""
    category: str = ""
    """The category that the message speaks of."""

    def holds(self, known: Mapping[str, str | None]) -> bool:
        """Whether a customer belongs to it.

        Args:
            known: What is known of the customer and the message, by the keys of a segment.

        >>> Who(program="win-back", persona="premium").holds({"program": "win-back", "persona": "premium", "stage": "tailor"})
        True
        >>> Who(program="win-back", persona="premium").holds({"program": "win-back", "persona": None})
        False
        """
        return all(not wanted or known.get(name) == wanted for name, wanted in self)


class Words(Entry):
    """What a page says in one language."""

    title: Title
    """Its heading."""
    text: Annotated[str, Field(max_length=400)] = ""
    """What stands below it, beside why the customer is written to."""
    collection: Annotated[str, Field(max_length=80)] = ""
    """What the link to the collection says."""
    steps: tuple[Text, ...] = ()
    """How to go on; the page's own three where none is written."""


class LandingPage(Entry):
    """What customers of a segment come back to."""

    who: Annotated[Who, Field(alias="for")] = Who()
    """The segment; everybody where nothing is named."""
    collection: Annotated[str, Field(pattern=r"^(https://[!-~]+)?$")] = ""
    """The shop's page with what the segment is shown; HTTPS."""
    words: Annotated[Mapping[str, Words], Field(min_length=1)]
    """Language, such as en or de, to words."""

    @model_validator(mode="after")
    def _led_to(self) -> Self:
        unled = [language for language, said in self.words.items() if bool(said.collection) != bool(self.collection)]
        if unled:
            why = f"the words in '{unled[0]}' and the page do not both have a collection, or both have none"
            raise mistake("landing-collection", why, "Write the address in collection, and what its link says in each language's words.")
        return self


class LandingPages(Entry):
    """All of a store's landing pages: content/landings.yaml."""

    pages: tuple[LandingPage, ...] = ()
    """The first that holds for a customer is shown."""

    def shown(self, known: Mapping[str, str | None], language: str) -> tuple[LandingPage, Words] | None:
        """The page of a customer and its words; None where there is none in the customer's language.

        Args:
            known: As `Who.holds`.
            language: The customer's.
        """
        found = (one for one in self.pages if language in one.words and one.who.holds(known))
        return next(((one, one.words[language]) for one in found), None)

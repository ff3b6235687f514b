"""How programs, stages, contexts and variants of the table of chances read for people.

Knows nothing of chances.
"""

from rekindle.decide.policy import ANY, NO_COHORT
from rekindle.insight.lifecycle import COHORTS
from rekindle.program.documents import NOTHING


def context_words(where: str) -> str:
    """A context.

    >>> context_words("high/one_bad_experience"), context_words("mid/none"), context_words("*")
    ('high value, bad experience', 'mid value, not lapsed', 'everyone else')
    """
    if where == ANY:
        return "everyone else"
    tier, _, cohort = where.partition("/")
    value = "occasional" if tier == "occasional" else f"{tier} value"
    if cohort == NO_COHORT:
        return f"{value}, not lapsed"
    words = COHORTS.get(cohort, cohort)
    return f"{value}, {'lapsed otherwise' if cohort == 'other' else words}"


def arm_words(arm: str) -> str:
    """A variant.

    >>> arm_words("nothing"), arm_words("early_access")
    ('left alone', 'early access')
    """
    return "left alone" if arm == NOTHING else arm.replace("_", " ")


def stage_words(program: str, stage: str) -> str:
    """A stage of a program."""
    return f"{program}, {stage.replace('_', ' ')}"

"""How a lapse model's four parameters are found, and how far they can be trusted.

Knows nothing of what the model assumes of lapse. A large fit starts from the optimum on a stratified sample.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rekindle.errors import CannotTell
from rekindle.insight.models.fitting import LogLikelihood, Optimum, Prior, Quality, maximise, refine
from rekindle.insight.models.tuples import Floats, LapseTuples

ALONE = 16_000              # so few tuples are fitted at once; a fit of more starts from the optimum on a stratified sample
SAMPLED = 16                # of so many tuples one is in the sample

Start = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a kind of lapse model is fitted by.

    Args:
        name: Of the model.
        parameters: Their names, in order.
        prior: What is assumed where data are thin.
        likelihood: Of sorted histories.
    """

    name: str
    parameters: tuple[str, str, str, str]
    prior: Prior
    likelihood: Callable[[LapseTuples], LogLikelihood]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Parameters, and what a model says of them beside: see its class."""

    parameters: Start
    log_likelihood: float
    customers: int
    covariance: Floats
    quality: Quality
    quality_reason: str


def fit_lapse(recipe: Recipe, tuples: LapseTuples, start: Start | None) -> Fitted | CannotTell:
    """The parameters of the highest likelihood, leaning on a weak prior only where the data are thin.

    Args:
        recipe: Of the model.
        tuples: Distinct purchase histories in any order.
        start: Parameters to search from; the prior's centre if None.

    Returns:
        Where the search arrived, or why it did not.
    """
    rows = tuples.sorted()
    customers = int(rows.customers.sum())
    found = _search(recipe, rows, recipe.prior.start if start is None else np.log(np.array(start)))
    if isinstance(found, CannotTell):
        return CannotTell(f"{recipe.name} on {customers:,} customers: {found.reason}")
    r, alpha, third, fourth = np.exp(found.point).tolist()
    quality, reason = _quality(recipe, found, rows)
    return Fitted((r, alpha, third, fourth), found.height, customers, found.covariance, quality, reason)


def _search(recipe: Recipe, rows: LapseTuples, begin: Floats) -> Optimum | CannotTell:
    if len(rows) <= ALONE:
        return maximise(recipe.likelihood(rows), recipe.prior, begin)
    found = _search(recipe, rows.every(SAMPLED), begin)
    return found if isinstance(found, CannotTell) else refine(recipe.likelihood(rows), recipe.prior, found)


MEANING = {
    "r": "how often customers order", "alpha": "how often customers order",
    "a": "how readily they leave", "b": "how readily they leave", "s": "how readily they leave", "beta": "how readily they leave",
}
"""What a parameter that the data leave loose is about, for people."""


def _quality(recipe: Recipe, found: Optimum, rows: LapseTuples) -> tuple[Quality, str]:
    again = int(rows.customers[rows.repeats > 0].sum())
    if again == 0:
        return "prior only", "No customer has ordered on a second day yet, so how often they do is assumed."
    if not found.alone:
        loose = zip(recipe.parameters, np.sqrt(np.diag(found.covariance)) > 0.5 * np.array(recipe.prior.spread), strict=True)
        meant = dict.fromkeys(MEANING[name] for name, is_loose in loose if is_loose)
        about = " and ".join(meant) or "how often customers order and how readily they leave together"
        return "weak", f"The histories of {again:,} customers with a second order say too little about {about}: an assumption helps."
    return "good", f"The histories of {again:,} customers with a second order fix all four parameters."

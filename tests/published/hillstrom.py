"""Hillstrom's experiment: 64,000 customers of a clothes shop, each drawn for a men's mail, a women's mail or none.

Two weeks of outcomes: a visit, an order (conversion), what was spent (dollars). Beside it what is tried on it: tables learned by the
posterior of `learn/posterior.py`, and a rival of boosted trees that sees every column.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow.parquet as pq

from rekindle.learn.evidence import Evidence
from rekindle.learn.off_policy import FOLDS, Logged, folds, one_by_one, part
from rekindle.learn.posterior import posterior_of
from rekindle.learn.qini import qini
from rekindle.program.documents import NOTHING
from tests.data import shared

ARMS = ("Mens E-Mail", "Womens E-Mail", "No E-Mail")
"""`nothing` is the last, as everywhere."""

FEATURES = ("recency", "history", "mens", "womens", "newbie", "zip_code", "channel")


@dataclass(frozen=True, slots=True, eq=False)
class Hillstrom:
    """One row per customer: the mail drawn, (N,); features, (N, F), texts as codes; outcomes by name; the file's history segment, (N,)."""

    arm: np.ndarray
    features: np.ndarray
    outcomes: dict[str, np.ndarray]
    segment: np.ndarray

    def feature(self, name: str) -> np.ndarray:
        """A column of the features."""
        return self.features[:, FEATURES.index(name)]

    def against_none(self, arm: str) -> np.ndarray:
        """Which rows had that mail or none."""
        return (self.arm == ARMS.index(arm)) | (self.arm == ARMS.index("No E-Mail"))


@cache
def hillstrom() -> Hillstrom:
    """The whole file."""
    table = pq.read_table(shared("hillstrom/hillstrom.parquet"))
    columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    drawn = np.array([ARMS.index(name) for name in columns["segment"]])
    numbers = [codes(columns[name]) if columns[name].dtype == object else columns[name] for name in FEATURES]
    outcomes = {name: columns[name].astype(float) for name in ("visit", "conversion", "spend")}
    return Hillstrom(drawn, np.stack(numbers, axis=1).astype(float), outcomes, codes(columns["history_segment"]))


def codes(texts: np.ndarray) -> np.ndarray:
    """Texts as numbers in the order of the alphabet."""
    return np.unique(texts.astype(str), return_inverse=True)[1]


def contexts(data: Hillstrom) -> tuple[np.ndarray, int]:
    """The context of each row, and how many there are: departments bought from, new or not, and the file's own classes of past spend.

    The rule looks at no outcome: what customers did, as the file itself classes it; nothing is binned, and where they live or by which
    channel they bought is left out. 3 x 2 x 7 cells; how many of them may differ from the best mail is the posterior's to say.
    """
    departments = (2 * data.feature("mens") + data.feature("womens") - 1).astype(int)
    return np.ravel_multi_index((departments, data.feature("newbie").astype(int), data.segment), (3, 2, 7)), 42


def logged(data: Hillstrom, outcome: str, seed: int) -> Logged:
    """The experiment as logged decisions, each drawn with a chance of a third; the seed says which row falls into which part."""
    where, count = contexts(data)
    rows = len(data.arm)
    found = one_by_one(where, data.arm, np.full(rows, 1 / 3), data.outcomes[outcome], (count, len(ARMS)))
    return replace(found, unit=np.random.default_rng(seed).permutation(rows))


def evidence(decisions: Logged) -> Evidence:
    """Decisions as sums; it is assumed that mails work not at all, give or take what customers do without one."""
    size = decisions.contexts * decisions.arms
    at, shape = decisions.context * decisions.arms + decisions.arm, (decisions.contexts, decisions.arms)
    counts, total, squares, orders = (
        np.bincount(at, one, size).reshape(shape)
        for one in (decisions.decisions, decisions.total, decisions.total**2, decisions.answered)
    )
    anyway = total[:, -1].sum() / counts[:, -1].sum()
    return Evidence(
        program="mail", stage="mail", contexts=tuple(map(str, range(decisions.contexts))), arms=(*ARMS[:-1], NOTHING), decisions=counts,
        exposure=counts, total=total, squares=squares, orders=orders, candidates=counts.sum(axis=1), cost=np.zeros(shape),
        allowed=np.ones(shape), prior_mean=np.zeros(3), prior_sd=np.array([anyway, anyway, 0.0]), channels=("email", "email", ""),
    )


def effects(decisions: Logged) -> np.ndarray:
    """(C, A); what is believed that each mail brings more than none: each context's own as far as the data allows."""
    return posterior_of(evidence(decisions)).believed()[0]


def shrunk_table(decisions: Logged) -> np.ndarray:
    """(C, A); always what is believed to be best in the context. Exploration is left out: its price is the same for every rival."""
    return np.eye(decisions.arms)[effects(decisions).argmax(axis=1)]


def averaged_table(decisions: Logged) -> np.ndarray:
    """(C, A); each mail as often as it may be the best (Thompson draws, averaged), as the learning policy has it before its floors."""
    drawn = posterior_of(evidence(decisions)).policy_draws(np.random.default_rng(1), 400)
    return (drawn.argmax(axis=2)[..., None] == np.arange(decisions.arms)).mean(axis=0)


SMALL_TREES = {"learning_rate": 0.05, "max_iter": 60, "max_leaf_nodes": 8, "min_samples_leaf": 200, "random_state": 0}
"""What suits three models on some 17,000 rows each: scikit-learn's own settings overfit (visits .1765 instead of .1798)."""


def t_learner(data: Hillstrom, decisions: Logged, outcome: str) -> np.ndarray:
    """(N, A); what boosted trees, one model for each mail, foretell of each row by the other parts' rows, from every column."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    fold, foretold = folds(decisions), np.zeros(decisions.eligible.shape)
    target = data.outcomes[outcome]
    with threadpool_limits(1):  # waiting threads eat the time of whatever runs beside
        for one in range(FOLDS):
            mine = data.features[fold == one]
            for arm in range(len(ARMS)):
                rows = (fold != one) & (data.arm == arm)
                if outcome == "spend":
                    trees = HistGradientBoostingRegressor(**SMALL_TREES).fit(data.features[rows], target[rows])
                    foretold[fold == one, arm] = trees.predict(mine)
                else:
                    classes = HistGradientBoostingClassifier(**SMALL_TREES).fit(data.features[rows], target[rows])
                    foretold[fold == one, arm] = classes.predict_proba(mine)[:, 1]
    return foretold


def held_out_effects(decisions: Logged) -> np.ndarray:
    """(N, A); `effects` of each row's context by the other parts' rows."""
    fold, found = folds(decisions), np.zeros(decisions.eligible.shape)
    for one in range(FOLDS):
        found[fold == one] = effects(part(decisions, fold != one))[decisions.context[fold == one]]
    return found


def qini_of(data: Hillstrom, scores: np.ndarray, mail: str) -> float:
    """Qini's coefficient of visits, a mail against none, by what is foretold of each row: (N, A), of effects or of outcomes."""
    rows = data.against_none(mail)
    arm = ARMS.index(mail)
    found = qini(data.outcomes["visit"][rows] == 1, (scores[:, arm] - scores[:, -1])[rows], data.arm[rows] == arm)
    assert isinstance(found, float)
    return found

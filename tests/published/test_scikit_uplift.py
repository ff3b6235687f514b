"""scikit-uplift 0.5.1's `qini_auc_score` on Hillstrom, run once and written down.

The package itself calls what scikit-learn 1.10 takes away (`stable_cumsum`), warns of it at every call, and draws matplotlib in: its
numbers are here instead, and its definition in plain loops in `tests/learn/test_qini.py`. Scores are columns of the file as they are.
"""

import pytest

from rekindle.learn.qini import qini
from tests.published.hillstrom import ARMS, hillstrom

VALUES = {
    ("Womens E-Mail", "visit", "history"): 0.0026215140678726204,
    ("Womens E-Mail", "visit", "recency"): -0.004519769337937204,
    ("Womens E-Mail", "visit", "newbie"): 0.010969568562791543,
    ("Womens E-Mail", "visit", "womens"): 0.06401550847534095,
    ("Womens E-Mail", "conversion", "history"): 0.0021100659871888575,
    ("Womens E-Mail", "conversion", "recency"): -0.006427718898027615,
    ("Womens E-Mail", "conversion", "newbie"): 0.07510643450592334,
    ("Womens E-Mail", "conversion", "womens"): 0.07704891157411559,
    ("Mens E-Mail", "visit", "history"): 0.01843340125952005,
    ("Mens E-Mail", "visit", "recency"): 0.011848925430545868,
    ("Mens E-Mail", "visit", "newbie"): -0.0024806462609706964,
    ("Mens E-Mail", "visit", "womens"): 0.012887832659139767,
    ("Mens E-Mail", "conversion", "history"): 0.06961189189725044,
    ("Mens E-Mail", "conversion", "recency"): 0.011938563285645116,
    ("Mens E-Mail", "conversion", "newbie"): 0.016235915513880234,
    ("Mens E-Mail", "conversion", "womens"): 0.020266262702492103,
}
"""Mail, outcome and score (recency: the fewest months first) to the coefficient."""


@pytest.mark.parametrize(("mail", "outcome", "score"), VALUES)
def test_qini_auc_score(mail: str, outcome: str, score: str) -> None:
    data = hillstrom()
    rows = data.against_none(mail)
    scores = data.feature(score)[rows] * (-1 if score == "recency" else 1)
    found = qini(data.outcomes[outcome][rows] == 1, scores, data.arm[rows] == ARMS.index(mail))
    assert found == pytest.approx(VALUES[mail, outcome, score], abs=1e-9)

"""How long customers stay, how often they order and what an order brings, from counts alone.

Knows nothing of tables, files and engines: arrays of distinct sufficient statistics in, arrays out.
"""

from rekindle.insight.models.bg_nbd import BgNbd, fit_bg_nbd
from rekindle.insight.models.gamma_gamma import GammaGamma, fit_gamma_gamma
from rekindle.insight.models.lapse_model import LapseModel
from rekindle.insight.models.mbg_nbd import MbgNbd, fit_mbg_nbd
from rekindle.insight.models.pareto_nbd import ParetoNbd, fit_pareto_nbd
from rekindle.insight.models.risk import Interval, at_risk_interval, orders_interval
from rekindle.insight.models.tuples import LapseTuples

__all__ = [
    "BgNbd",
    "GammaGamma",
    "Interval",
    "LapseModel",
    "LapseTuples",
    "MbgNbd",
    "ParetoNbd",
    "at_risk_interval",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_mbg_nbd",
    "fit_pareto_nbd",
    "orders_interval",
]

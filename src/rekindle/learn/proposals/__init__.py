"""What the evidence speaks for changing: budgets, tier boundaries, pacing and caps, each as a change of a document that a person approves.

Knows nothing of files; a proposal names its document and the places in it.
"""

from rekindle.learn.proposals.proposal import Change as Change
from rekindle.learn.proposals.proposal import Proposal as Proposal

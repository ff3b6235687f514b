"""Rekindle: who is drifting away and why, what to do about it, and what it was worth.

Knows nothing by itself; the packages, in the order in which data flows (a later one may import an earlier one):

    errors, money, moment, settings   the few things everything stands on
    history     what we hold to be true: append-only facts, and the only executor of expressions
    ingest      files become facts, contacts and a quality report
    insight     one profile per customer: rhythm, chance of another order, value, stage, cause
    program     programs, offers and rules as owned, versioned documents
    decide      the pure planner: who is due, which variant, why not
    deliver     what a message says and how it is built
    learn       outcomes, lift, the report
    simulate    a marketplace whose truth is known
    service     the ledger (Django): people, programs, outbox, and the journeys that cross them
    cli         one command per verb
"""

"""Touches: what is to be handed over, and what became of it."""

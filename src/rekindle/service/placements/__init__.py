"""Decisions that the shop's own pages asked for."""

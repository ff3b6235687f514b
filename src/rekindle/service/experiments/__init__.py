"""Experiments as they were run, what was read at their looks, and what they taught."""

"""Codes that were given, and what became of them at the checkout."""

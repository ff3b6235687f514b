"""Notifications in a customer's browser."""

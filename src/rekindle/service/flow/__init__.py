"""Journeys that cross the apps: content, sending, and closing the cycle."""

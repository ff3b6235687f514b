"""Customers' pages in a real browser: Debian's Chromium, over HTTPS on this machine."""

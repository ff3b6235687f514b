"""The addresses that links of messages lead to: kept here, so that nobody can make a link of ours lead elsewhere.

Knows nothing of tokens and of who follows them.
"""

from django.db import models


class Destination(models.Model):
    """One address of the shop, with what tells the shop's own statistics where a visitor came from. It never changes."""

    url = models.CharField(max_length=2000, unique=True)

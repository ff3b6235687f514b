"""Keys of the JSON API.

Knows nothing of what a key opens. A key itself is never held, only its digest.
"""

from django.db import models


class ApiKey(models.Model):
    """One key; `prefix` is its name and stands at its head, `scopes` what it opens, parted by spaces."""

    prefix = models.CharField(max_length=16, primary_key=True)
    digest = models.CharField(max_length=64)
    label = models.CharField(max_length=100)
    scopes = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

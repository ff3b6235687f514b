"""Which text messages came in, so that one delivered twice is answered once.

Knows nothing of what they said and of who wrote them.
"""

from django.db import models


class Received(models.Model):
    """One message that came in, by the provider's id, with the answer it got."""

    message_id = models.CharField(max_length=200, primary_key=True)
    answer = models.TextField(default="")
    received_at = models.DateTimeField()

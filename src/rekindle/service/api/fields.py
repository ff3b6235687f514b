"""What values in requests look like.

Knows nothing of requests.
"""

from typing import Annotated

from pydantic import Field

_PRINTED = r"^[^\x00-\x1f\x7f]+$"

CustomerId = Annotated[
    str, Field(min_length=1, max_length=200, pattern=_PRINTED, description="The customer's id in your files, or Rekindle's own.")
]
MessageId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$", description="A message's id.")]
Line = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A short text."""

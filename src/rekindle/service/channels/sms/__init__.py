"""Text messages through a provider's HTTP interface, and what people answer."""

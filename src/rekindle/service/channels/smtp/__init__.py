"""The channel that hands mail to a relay: the shop's own mail server, or a provider's."""

"""What is durable and personal: the ledger's apps, and the flows that cross them.

`rekindle.service.config.use_ledger(settings)` comes first; the apps' modules can be imported only after it.
"""

"""What customers ask about their own data: a copy of it, or that it goes; and the receipts of both."""

"""What became of messages after they were handed over, and what follows from it at once."""

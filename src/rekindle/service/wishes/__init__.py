"""What a customer asks for: which messages, how often, by which way, or none."""

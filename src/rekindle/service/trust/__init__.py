"""What customers answered: why they stayed away, how content they are, and their reviews."""

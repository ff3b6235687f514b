"""What it was worth: outcomes by assignment, lift against the randomised comparison, the scorecard and the report."""

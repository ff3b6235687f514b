"""What history means: one profile per customer, the models behind it, and why customers lapse."""

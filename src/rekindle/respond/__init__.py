"""What a customer may do and what it means: rules only."""

"""Who customers are and what they agreed to. The only place that holds names and addresses."""

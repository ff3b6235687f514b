"""Documents as they were submitted, and who approved which version for which channels."""

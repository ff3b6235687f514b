"""What we intend: programs, offers and rules as owned, versioned documents that say what is wrong with them."""

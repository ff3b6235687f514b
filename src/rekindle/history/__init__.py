"""What we hold to be true: append-only facts by opaque id, and the one executor of expressions."""

"""What systems of the shop may ask and say, as JSON."""

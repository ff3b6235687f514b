"""Messages inside the shop: rows that its pages ask for."""

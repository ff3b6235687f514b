"""How numbers, sums and days are written on the console's pages."""

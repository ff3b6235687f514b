"""Messages as signed events to a system of the shop."""

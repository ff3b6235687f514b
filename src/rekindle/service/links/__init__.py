"""Where the links of messages lead."""

"""The channels, a folder each."""

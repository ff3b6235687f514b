"""The channel for trying the others out: a folder of messages, and nothing leaves this machine."""

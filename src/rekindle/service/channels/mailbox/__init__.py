"""The channel that leaves this machine nowhere: a folder of messages that any mail program opens."""

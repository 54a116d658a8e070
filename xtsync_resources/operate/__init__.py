"""The `xtsync` command: look at a pair, and act on it, between two runs of Pulumi."""

"""Provisioning people at once."""

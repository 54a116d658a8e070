"""Synchronization jobs, secrets, schema, on-demand provisioning and the cycles themselves."""

"""Provisioning logs."""

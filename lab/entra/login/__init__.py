"""Signing in: discovery documents, keys, tokens."""

"""What `xtsync doctor` checks: one module an area, each check a function that only reads.

A check takes a `Look` at one tenant and gives findings. It may raise any `XtsyncError`; the doctor turns that
into a finding of its own and goes on.
"""

from .finding import Finding, Level, Look

__all__ = ["Finding", "Level", "Look"]

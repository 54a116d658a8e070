"""The synchronization job: making or adopting it, running and pausing it, and what it says of itself."""

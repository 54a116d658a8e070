"""What every provider and resource shares, and the explicit providers."""

"""What an organisation allows a pair to be: rules as data."""

"""What runs in the Pulumi program: providers, what it asks of the state, what it says to the engine."""

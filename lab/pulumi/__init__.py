"""The real Pulumi CLI for the lab: found or built, with launchers for what is not installed beside it."""

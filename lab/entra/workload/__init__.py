"""What runs outside of Entra and signs in without a secret: pipelines with their token issuers, managed identities."""

"""A stand-in for the pulumi-azuread plugin: the few types this project uses, as an ordinary resource provider.

It behaves as the real one was observed to, good and bad: it waits for the application but not for its service
principal, repeats the creating call after 429 and 5xx, and gives up on a connection reset during a write.

Environment:
    LAB_AZUREAD_POLL_SECONDS: the pause between two reads while waiting; the real one has 5 s, here 0.02 s.
    LAB_AZUREAD_TIMEOUT_SECONDS: how long an operation may take if the program sets no timeout; 60 s.
    SSL_CERT_FILE: the authorities to trust.
    ARM_...: as for the real one.
"""

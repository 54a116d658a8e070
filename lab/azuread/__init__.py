"""A stand-in for the pulumi-azuread plugin: the few types this project uses, as an ordinary resource provider.

It behaves as the real one was observed to, good and bad, and is never kinder: it waits for the application but not for
its service principal, looks at a new assignment once, repeats the creating call after 429 and 5xx, and gives up on a
connection reset during a write.

Environment:
    LAB_AZUREAD_SECOND: how long one of the real plugin's seconds lasts here, in seconds; 1 is as slow as the real one,
        which takes some 20 s to create an application. Without it everything is 250 times as fast.
    SSL_CERT_FILE: the authorities to trust.
    ARM_...: as for the real one.
"""

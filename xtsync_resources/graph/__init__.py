"""All that knows HTTP: clouds, sign-in, the calls to Microsoft Graph, their retries and their errors.

Light to import on purpose: `requests` and `azure-identity` are loaded by `transport` and `credentials`
only, and those only in the process that talks to a tenant.
"""

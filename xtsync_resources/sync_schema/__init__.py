"""The schema of the job: attribute mappings, scoping filters, flow types."""

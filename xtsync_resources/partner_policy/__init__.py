"""The partner policy of a tenant: what it lets in and out for one partner, and what was there before."""

"""The identity sync policy of the target: whether people, and groups, may be synchronized into it."""

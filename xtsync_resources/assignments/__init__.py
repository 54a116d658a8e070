"""Who is assigned to the configuration's service principal."""

"""Who is in scope: names and objects, assignments, who comes and who leaves, draining."""

"""Applications, service principals, application templates and app role assignments."""

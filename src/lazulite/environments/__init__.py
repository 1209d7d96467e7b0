"""From an environment definition to a prefix with a Python that runs it."""

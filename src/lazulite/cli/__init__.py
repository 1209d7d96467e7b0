"""The `lazulite` command: az-shaped, speaks HTTP to the server."""

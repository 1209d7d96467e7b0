"""State on this machine: the database and durable files."""

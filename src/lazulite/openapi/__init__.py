"""What the server answers, as an OpenAPI document: described by the tables that answer it."""

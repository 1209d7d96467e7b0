"""Datastores: the types, their credentials, and which one is the default."""

"""What the server calls itself towards clients of Azure."""

CLOUD = "Lazulite"
"""The cloud's name in the metadata document, and where clients register it."""
ADFS = "adfs"
"""Another name of the only tenant, of which MSAL asks Microsoft nothing first.

Source: spec/CLIENTS.md 3.3.
"""

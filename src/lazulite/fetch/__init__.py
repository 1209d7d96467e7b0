"""Fetching from other servers, where the caller chooses the address and the server the limits."""

"""Workspaces: what they depend on, how they come about, what they answer."""

"""Logs, events, metrics and alerts of online endpoints: collected, kept for a while, asked for."""

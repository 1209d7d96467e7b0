"""Batch scoring: inputs, mini-batches, dispatch, journal, output."""

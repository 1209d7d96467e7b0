"""The Blob protocol gateway over durable files, and the URIs that name data."""

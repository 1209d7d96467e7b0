"""Online scoring: the front door, and the replicas behind it."""

"""Azure Resource Manager's protocol: what every resource kind has in common."""

"""The services of the regional host: history, models, artifacts, datastores and the like."""

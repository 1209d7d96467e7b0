"""Endpoints of `--local`: on this machine, without a server, by the same replicas."""

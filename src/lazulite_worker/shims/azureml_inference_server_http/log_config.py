"""The classes that a user's logging.json names. Source: spec/ONLINE.md 5.3."""

from lazulite_worker.log import AMLLogFormatter, RootAccessFilter

__all__ = ["AMLLogFormatter", "RootAccessFilter"]

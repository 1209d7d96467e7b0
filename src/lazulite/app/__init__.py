"""The composition root: settings, store, kinds, routes, workers; the only place that wires."""

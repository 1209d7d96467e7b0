"""One file per ARM resource kind: its properties, its rules, its reconcile step."""

"""Benchmarks: each file is one command that prints ratios against a peer or the ideal."""

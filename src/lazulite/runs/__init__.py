"""Jobs as runs: how each sort is brought to its end, and the services that tell of them."""

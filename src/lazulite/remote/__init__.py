"""Data of other servers, brought to this machine once, in the background, for jobs to read."""

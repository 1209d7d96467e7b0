"""Driving resources from their desired to their observed state, one short step at a time."""

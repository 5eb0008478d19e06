"""Delivery of signed callbacks, from the callbacks queue to their receivers."""

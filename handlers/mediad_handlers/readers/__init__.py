"""Readers of container and tag formats: bytes in, plain values out. They know no field names of the vocabulary."""

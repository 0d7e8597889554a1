"""Slow, obvious versions of what the kernels compute, written from the documentation, to test against."""

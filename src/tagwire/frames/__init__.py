"""Packed frames: a block of tags as few bytes, exactly; their layout is specified in ``docs/recording-format.md``."""

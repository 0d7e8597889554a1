"""Recordings: reading files of tags as sources."""

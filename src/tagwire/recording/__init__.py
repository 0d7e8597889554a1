"""Recordings: writing the stream into files, and reading files of tags as sources."""

"""Signals made and changed in the stream: the `Experimental` classes of the vendor's API."""

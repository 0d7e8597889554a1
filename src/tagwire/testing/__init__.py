"""What users need to test their own experiment code without an instrument."""

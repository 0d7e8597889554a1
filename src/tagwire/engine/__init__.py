"""The stream: it pulls blocks from a source, orders them, and hands them to virtual channels and measurements."""

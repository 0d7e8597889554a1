"""Virtual channels: processors that add tags to the stream."""

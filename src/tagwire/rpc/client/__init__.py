"""The client's side: the way to a server, and what stands here for what is there."""

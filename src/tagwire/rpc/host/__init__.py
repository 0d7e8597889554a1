"""The server's side: who comes in, what they hold, and how their calls are made."""

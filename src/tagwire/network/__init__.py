"""The stream of tags over a network: frames, their numbers and accounts, and the doors they go through."""

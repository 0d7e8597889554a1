"""Time Tagger objects: settings and life of a simulated or replayed instrument."""

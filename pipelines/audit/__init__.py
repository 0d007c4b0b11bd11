"""Rules that a candidate must pass before it is published, and their findings."""

"""The rules that a candidate must pass before it is published, and what they found."""

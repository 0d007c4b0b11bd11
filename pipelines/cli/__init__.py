"""`papertide …`: argument handling only. With `definitions.py`, the room that knows both houses."""

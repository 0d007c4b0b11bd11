"""Parsing: bytes in, items and rejects out. Pure: no clock, no files, no network.

Belongs here: one module a format, one detector, and the rules they share. Does not: where bytes
come from (`sources/`), where rows go (`pipelines.lake`), anything that merges papers (dbt).
"""

# Raised whenever a rule changes what comes out; captures parsed under another version are
# parsed again from the archived bytes.
PARSER_VERSION = "4"

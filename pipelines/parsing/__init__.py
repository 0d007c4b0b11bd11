"""Parsers: the bytes of a capture in, items and rejects out. Pure: no clock, files or network.

Belongs here: one module per format, the table of formats, and the rules that formats share. Does
not belong here: fetching (`sources/`), writing rows (`lake/`), merging papers (dbt).
"""

# Raise it whenever a change alters what parsers return. Captures that were parsed under another
# version are parsed again from the archived bytes.
PARSER_VERSION = "6"

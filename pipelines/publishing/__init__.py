"""Publishing: snapshots that are checked, immutable and complete, and the reader everyone uses.

Belongs here: writing a snapshot, moving the pointer, opening it for reading, running a user's
SQL inside a fence. Does not: building the warehouse (dbt) or showing anything.
"""

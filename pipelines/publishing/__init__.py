"""Publishing snapshots, reading them, and recording how builds ended.

Belongs here: writing a snapshot, moving the pointer, opening it for reading, running users' SQL on
it, comparing and removing snapshots. Does not: building the warehouse (dbt), or showing anything.
"""

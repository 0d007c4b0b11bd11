"""Services that every package uses and that know nothing about papers.

Belongs here: the home, locks, atomic files, machine faults, exception chains, text and SQL helpers.
Does not: anything that reads or writes a table.
"""

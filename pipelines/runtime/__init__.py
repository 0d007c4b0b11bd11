"""What any part of the program needs of the machine, and nothing about papers.

Holds the home, locks, atomic files, fault messages, text and SQL helpers.
"""

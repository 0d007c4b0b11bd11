"""The `papertide` command: parses arguments and prints results.

With `definitions.py`, the only code that imports both pipelines and dashboards.
"""

"""The `papertide` command: parses arguments and prints results.

With `defs/site.py`, the only code that imports both pipelines and dashboards.
"""

"""Captures to rows: items, quarantine and topic matches as Parquet files, and the schemas of all of
them. Does not merge papers; dbt does.
"""

"""Captures as rows: items, quarantine and topic matches in Parquet files, and all their schemas.

Does not merge papers; dbt does.
"""

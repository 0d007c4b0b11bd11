"""Dagster's side: thin assets, checks, jobs and resources. The work is in the other rooms."""

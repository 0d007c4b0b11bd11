"""The file that one build writes and nobody else reads: the candidate, its loading, and dbt."""

"""The warehouse file of one build: creating and loading it, and running dbt on it."""

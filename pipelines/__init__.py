"""Papertide's pipelines: from received bytes to a published snapshot. Data only moves right."""

"""Plotly figures as pure functions: the same frame and theme give the same figure.

Belongs here: what a figure draws. Every share and statistic has its interval, partial periods are
hollow and dotted, insufficient ones are a grey cross. Does not: titles and legends (`pages`),
queries, or colours (`theme`).
"""

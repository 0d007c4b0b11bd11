"""What people see: the dashboard and the static site, over one set of pages.

Belongs here: queries of the published snapshot, figures, pages, their two renderings (Dash and
files). Does not: anything that writes the warehouse. Of `pipelines`, only the snapshot reader,
the settings and the errors are imported.
"""

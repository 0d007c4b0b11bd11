"""The dashboard and the static site: one set of pages, rendered twice.

Belongs here: queries of the published snapshot, figures, pages, and their rendering in Dash and as
files. Does not: anything that writes to a home. Of `pipelines` it imports only the snapshot
reader, the build status, the settings and the errors.
"""

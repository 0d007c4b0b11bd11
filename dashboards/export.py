def export_site(reader, folder):
    folder.mkdir(parents=True, exist_ok=True); return []

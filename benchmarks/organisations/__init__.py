"""Many organisations in one process: what they cost it (`__main__`), and one's trouble the others (`isolation`)."""

"""Other people's files: formats, encodings, which column is which, and a verdict per row."""

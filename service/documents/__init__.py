"""Documents from plain data: spreadsheets and templates. Knows nothing of tables or HTTP."""

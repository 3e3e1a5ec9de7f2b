"""The registers: lists, details and changes of every kind of record, with its area and its trail."""

"""From other people's files into the registers: one pipeline for all kinds, and the demo, which goes the same way."""

"""What an incident can be about: classes, categories, their limits and who is in charge of them, in versions."""

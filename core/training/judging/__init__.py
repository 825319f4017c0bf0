"""What a finished classifier is worth, and what travels with its weights."""

"""The list that a person has open, and what is ticked in it."""

"""The words that people read, and how text is kept fit and inert."""

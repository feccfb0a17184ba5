"""Files that people bring in: previewed, confirmed, and imported once by whichever process comes to it."""

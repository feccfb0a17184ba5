"""What is put together of several nouns to be shown: an invoice's details, Home."""

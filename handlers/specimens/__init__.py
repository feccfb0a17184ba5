"""One of each view and message that Paylink can make (whole), of sample values."""

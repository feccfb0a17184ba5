"""The HTTP API for programs: what is asked, what is answered, and who may."""

"""What the official SDKs must find alike at the local services and at the real ones."""

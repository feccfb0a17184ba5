"""Writing a message down in the transaction of its fact."""

"""What there is to do for payments among many organisations: whose turn it is to be looked at, and whose webhook was told."""

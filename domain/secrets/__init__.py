"""Secrets at rest: sealed before they are written down, each for one organisation and one purpose (decision 0031)."""

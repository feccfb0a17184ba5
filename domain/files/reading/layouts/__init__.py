"""Whose file it is: the layouts that are recognised, each by the names of its columns."""

"""This tree beside an older revision: the probes that run in both, and the turns that they take."""

"""What Paylink costs, beside what the obvious bot costs: `make bench`, or `python -m benchmarks --quick`."""

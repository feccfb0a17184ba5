"""What a file is, and its records.

A further kind of file: kinds.py says that it is one, a module here reads it, and invoice_file.py takes it. What gives records in rows
and columns is a Records (tables.py) and gets its layout like any other; what gives invoices of its own, as json_lines.py does, is an
Items (repeated.py).
"""

"""Reading invoices from files of many programs: invoice_file.py is the door.

A file's bytes become records (sources/), a heading says whose layout it is (layouts/, recognising.py), a map says which column is
what (maps.py), and each record becomes an invoice, or is refused or left out with a reason (plain.py, mapped.py). What can only be told from the whole file is
found out before the first record is taken: deciding.py, repeated.py.
"""

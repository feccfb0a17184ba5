"""The names under which Slack brings back what people do: callback ids, action ids, and the ids of list blocks."""

FIND_INVOICE = "find_invoice"
BILLING_INVOICES = "billing_invoices"
"""Global shortcuts and buttons on Home alike."""

# Views
SEARCH_VIEW = "search"
DETAILS_VIEW = "details"
COPY_VIEW = "copy"
LIST_VIEW = "list"
CONFIRMATION_VIEW = "confirmation"
RESULT_VIEW = "result"
NOTE_VIEW = "note"
EXCEPTIONS_VIEW = "exceptions"
RESOLVE_VIEW = "resolve"
DOWNLOAD_VIEW = "download"
IMPORT_VIEW = "import"
IMPORT_COLUMNS_VIEW = "import_columns"
IMPORT_PREVIEW_VIEW = "import_preview"
IMPORT_RESULT_VIEW = "import_result"

# One invoice
CHOOSE_INVOICE = "choose_invoice"
"""The type-ahead: its block_suggestion and its choice."""
SHOW_NEAREST = "show_nearest"
"""A button that shows an invoice in the modal that it stands in; the index of the button follows."""
VIEW_INVOICE = "view_invoice"
"""A button on a message or on Home that opens an invoice."""
CREATE_LINK = "create_link"
COPY_LINK = "copy_link"
RECHECK = "recheck"
OPEN_LINK = "open_link"
"""A URL button: the client follows it, the action needs an ack only."""

# The list
LIST_SEARCH = "list_search"
LIST_FILTER = "list_filter"
LIST_TICKS = "list_ticks"
LIST_SELECT_PAGE = "list_select_page"
LIST_CLEAR = "list_clear"
LIST_NEXT = "list_next"
LIST_PREVIOUS = "list_previous"
LIST_DETAILS = "list_details"
LIST_DOWNLOAD = "list_download"
LIST_AS_EXCEL = "list_as_excel"
LIST_AS_CSV = "list_as_csv"

# Exceptions
EXCEPTIONS = "exceptions"
"""A button on Home or on a message that opens the list of exceptions."""
EXCEPTIONS_PAGE = "exceptions_page"
EXCEPTION_DETAILS = "exception_details"
RESOLVE = "resolve_exception"
REASON = "reason"

# Bulk runs
RETRY_FAILED = "retry_failed"
SHOW_RESULT = "show_result"
RESULT_DOWNLOAD = "result_download"
RESULT_AS_EXCEL = "result_as_excel"
RESULT_AS_CSV = "result_as_csv"
CHOOSE_COPY = "choose_copy"
"""A select that pushes the copy view of the invoice chosen."""

# What the list's block ids begin with; the revision follows.
SEARCH_BLOCK = "search"
TICKS_BLOCK = "ticks"
COPY_URL = "payment_link_url"

# Files that people bring in
IMPORT_INVOICES = "import_invoices"
"""A button on Home."""
IMPORT_FILE = "import_file"
IMPORT_COLUMN = "import_column"
"""A select of the file's columns; the field that the column becomes follows."""
IMPORT_DECIMAL_SIGN = "import_decimal_sign"
IMPORT_DATE_ORDER = "import_date_order"
IMPORT_CURRENCY = "import_currency"

"""What `help` says for each command."""

INVOICE_HELP = """*/invoice* shows one billing invoice and creates its online payment link.
• `/invoice INV-1001` shows that invoice, by its number; its closing digits, a payment link's URL or a word of the buyer's name will do.
• `/invoice` alone opens a search by number or buyer.
• `/invoice exceptions` lists what needs attention, and resolves it.
• `/invoice help` shows this.
For many invoices at once there is `/invoices`. Commands don't run in threads: use the shortcut *Find Invoice* there."""

INVOICES_HELP = """*/invoices* lists billing invoices and creates up to 100 online payment links at once.
• `/invoices` opens the list.
• `/invoices acme` opens it with a search: the beginning of the number, or of any word of the buyer's name.
• `/invoices import` imports invoices from a file: you see what would happen before it does.
• `/invoices help` shows this.
For one invoice there is `/invoice`. Commands don't run in threads: use the shortcut *Billing Invoices* there."""

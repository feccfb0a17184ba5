"""The scopes of Slack that Paylink asks for, and what is lost without each. A test holds them against manifest.yml."""

SCOPES = {
    "commands": "/invoice and /invoices don't work",
    "chat:write": "nothing can be announced",
    "channels:history": "after a lost answer nobody can tell whether a message is in a public channel",
    "groups:history": "after a lost answer nobody can tell whether a message is in a private channel",
    "files:write": "Download doesn't work",
    "files:read": "Import Invoices can't read the files that people bring in",
    "users:read": "guests can do what members can, Slack's administrators aren't known, and nobody can import invoices in Slack",
}
# Of versions that didn't ask for them yet, installations go on without.
OPTIONAL = {
    "app_mentions:read": "nobody is answered who mentions Paylink",
    "im:history": "nobody is answered who writes to Paylink directly, and after a lost answer a direct message may come twice",
    "usergroups:read": "a user group can't be named in Settings",
    "channels:join": "Paylink has to be invited to its notification channel",
}

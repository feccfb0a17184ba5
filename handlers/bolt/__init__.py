"""How handlers hang into Bolt: payloads, acknowledgements, modals, failures."""

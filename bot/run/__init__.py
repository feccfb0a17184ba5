"""One running bot, from its start to its end."""

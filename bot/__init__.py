"""The bot as a program: settings, command line, wiring, what comes in over the network, and every periodic job."""

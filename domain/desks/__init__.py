"""The parts of the desk, by what a person does there; domain/desk.py is the door."""

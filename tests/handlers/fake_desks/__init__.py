"""The parts of the fake desk, by what they are about, as domain/desks/ has those of the desk."""

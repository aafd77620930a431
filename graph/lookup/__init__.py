"""How a lookup is answered: from a name and a relation to facts."""
